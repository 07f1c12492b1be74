# SPDX-License-Identifier: Apache-2.0
"""An archive opens only when it is what it says it is."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from stn_perception.runtime.archive import (
    ModelArchive,
    save_archive,
    weights_sha256,
)
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork

from .small_archives import SmallConvolution, WithExtras, card, exported, refusal


class Broken(nn.Module):
    """Wrong in the way its mode says."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        theta = torch.eye(3).unsqueeze(0).repeat(crops.shape[0], 1, 1)
        if self.mode == "nan":
            return theta * float("nan")
        if self.mode == "shape":
            return theta.reshape(-1, 9)
        if self.mode == "batch":
            return theta[:1]
        if self.mode == "integer":
            return theta.long()
        if self.mode == "raises":
            raise ValueError("no such crop")
        return theta


@pytest.mark.parametrize("key", ["theta", "log_variance", "score", "class_logits", "grid"])
def test_a_dict_with_a_wrong_output_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "extras.pt"
    save_archive(path, torch.jit.script(WithExtras(key)), card())
    assert key in refusal(path)


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("nan", "theta is not finite"),
        ("shape", "theta has shape (1, 9)"),
        ("batch", "theta has shape (1, 3, 3) for 2 crops"),
        ("integer", "torch.int64"),
        ("raises", "no such crop"),
    ],
)
def test_a_broken_network_is_refused_by_the_probe(tmp_path: Path, mode: str, says: str) -> None:
    path = tmp_path / "broken.pt"
    save_archive(path, torch.jit.script(Broken(mode)), card())
    assert says in refusal(path)


def test_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "none.pt")
    for name, content, says in (
        ("empty.pt", b"", "is empty"),
        ("text.pt", b"hello, I am no model", "not TorchScript"),
        ("raw.pt", pickle.dumps({"weights": 1}), "is a pickle"),
        ("ascii.pt", pickle.dumps({"weights": 1}, protocol=0), "is a pickle"),
    ):
        (tmp_path / name).write_bytes(content)
        assert says in refusal(tmp_path / name)
    assert "cannot be read" in refusal(tmp_path)


class Bomb:
    """Leaves a file when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_torch_save_file_is_refused_without_unpickling_it(tmp_path: Path, zipped: bool) -> None:
    mark = tmp_path / "exploded"
    path = tmp_path / "state.pt"
    torch.save({"bomb": Bomb(mark)}, path, _use_new_zipfile_serialization=zipped)
    assert "is a pickle" in refusal(path)
    assert not mark.exists()


@pytest.mark.parametrize("record", ["sample_inputs/model.pt", "constants/custom_obj_0"])
def test_pickles_inside_an_exported_program_are_not_loaded(tmp_path: Path, record: str) -> None:
    import io
    import zipfile

    good, path, mark = tmp_path / "good.pt2", tmp_path / "bad.pt2", tmp_path / "exploded"
    save_archive(good, exported(SmallConvolution()), card())
    bomb = io.BytesIO()
    torch.save(Bomb(mark), bomb)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w") as target:
        names = source.namelist()
        for name in names:
            if not name.endswith(record):
                target.writestr(name, source.read(name))
        root = names[0].split("/", 1)[0]
        target.writestr(f"{root}/data/{record}", bomb.getvalue())
    assert "pickled objects" in refusal(path)
    assert not mark.exists()


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float, suffix: str) -> None:
    path = tmp_path / f"whole{suffix}"
    network = SmallConvolution().eval()
    save_archive(
        path, exported(network) if suffix == ".pt2" else torch.jit.script(network), card()
    )
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "truncated" in refusal(path)


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], bytes]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


@pytest.mark.parametrize(("offset", "bits"), [((6, 8), 1), ((8, 10), 97)])
def test_a_zip_file_that_cannot_be_unpacked_is_refused(
    saved: Path, tmp_path: Path, offset: tuple[int, int], bits: int
) -> None:
    content = bytearray(saved.read_bytes())
    for signature, field in zip((b"PK\x03\x04", b"PK\x01\x02"), offset, strict=True):
        at = content.find(signature)
        while at >= 0:
            content[at + field] |= bits  # encrypted; an unknown compression
            at = content.find(signature, at + 4)
    locked = tmp_path / "locked.pt"
    locked.write_bytes(content)
    assert "damaged" in refusal(locked)


def test_a_module_without_forward_is_refused(saved: Path, tmp_path: Path) -> None:
    renamed = rewritten(
        saved, tmp_path / "renamed.pt", lambda _, text: text.replace(b"def forward", b"def onward")
    )
    assert "forward" in refusal(renamed)


@pytest.mark.parametrize("index", [b"[", b"[]", b'{"config": [1]}', b'{"config": {"a": 1}}'])
def test_an_exported_program_with_a_damaged_index_is_refused(tmp_path: Path, index: bytes) -> None:
    whole = tmp_path / "whole.pt2"
    save_archive(whole, exported(SmallConvolution().eval()), card())
    damaged = rewritten(
        whole,
        tmp_path / "damaged.pt2",
        lambda name, content: index if name.endswith("_config.json") else content,
    )
    assert "damaged" in refusal(damaged)


def test_the_home_of_an_unknown_user_is_refused() -> None:
    assert "unknown user" in refusal("~nobody_of_this_name/model.pt")


def test_a_flipped_weight_bit_is_refused(saved: Path) -> None:
    weights = SmallConvolution().head.weight.detach().numpy().tobytes()
    content = bytearray(saved.read_bytes())
    content[content.find(weights) + 10] ^= 0x40
    saved.write_bytes(bytes(content))
    assert "checksum" in refusal(saved)


def test_other_weights_than_the_card_says_are_refused(tmp_path: Path) -> None:
    network = SmallConvolution().eval()
    written = card(weights_sha256=weights_sha256(network))
    network.head.bias.data[0] += 1e-3
    path = tmp_path / "other.pt"
    extra = {"card.json": written.model_dump_json()}
    torch.jit.save(torch.jit.script(network), str(path), _extra_files=extra)
    assert "SHA-256" in refusal(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "card"),
        ('{"name": "x", "input_width": 24}', "input_height"),
        ('{"name": "x", "input_width": 24, "input_height": 20, "colour": 1}', "colour"),
        ('{"name": "x", "input_width": 24, "input_height": 20, "std": [0.0]}', "std"),
        ('{"name": "x", "input_width": 24, "input_height": 20, "mean": [0.0, 1.0]}', "mean"),
        ('{"name": "x", "input_width": 24, "input_height": 20, "schema_version": 2}', "schema"),
    ],
)
def test_a_bad_card_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.pt"
    network = torch.jit.script(SmallConvolution().eval())
    torch.jit.save(network, str(path), _extra_files={"card.json": text})
    assert says in refusal(path)


def test_a_device_that_is_not_there_is_refused(saved: Path) -> None:
    assert "is not there" in refusal(saved, device=f"cuda:{torch.cuda.device_count()}")
    assert "unknown" in refusal(saved, device="tpu")


class OneChannel(nn.Module):
    """Convolutions in nested modules, for crops of one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(self.first, nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        features = self.second(crops).mean(dim=[2, 3])
        return torch.eye(3) + features.mean(dim=1)[:, None, None]


@pytest.mark.parametrize("kind", ["nested", "corner_heatmaps"])
def test_a_card_that_does_not_fit_the_network_is_refused(tmp_path: Path, kind: str) -> None:
    network = OneChannel() if kind == "nested" else CornerHeatmapNetwork(channels=1, input_size=64)
    path = tmp_path / "gray.pt"
    torch.jit.save(torch.jit.script(network.eval()), str(path))
    size = 20 if kind == "nested" else 64
    fitting = card(channels=1, input_width=size, input_height=size)
    assert ModelArchive.open(path, device="cpu", cardless=fitting).card.channels == 1
    wrong = fitting.model_copy(update={"channels": 3})
    assert "failed its probe" in refusal(path, cardless=wrong)
