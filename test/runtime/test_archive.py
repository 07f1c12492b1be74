# SPDX-License-Identifier: Apache-2.0
"""An archive opens only when it is what it says it is."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.runtime.archive import (
    ArchiveError,
    ModelArchive,
    ModelError,
    resolve_model,
    save_archive,
    weights_sha256,
)
from stn_perception.runtime.model_card import ModelCard
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork

torch.set_num_threads(1)


class SmallConvolution(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 4, 3, stride=4)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.AdaptiveAvgPool2d(3)
        self.head = nn.Linear(36, 6)

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        features = self.pool(torch.relu(self.norm(self.convolution(crops))))
        return self.head(features.flatten(1)).view(-1, 2, 3)


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


class WithExtras(nn.Module):
    def __init__(self, wrong: str = "") -> None:
        super().__init__()
        self.wrong = wrong

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        outputs = {
            "theta": torch.eye(3).unsqueeze(0).repeat(count, 1, 1),
            "log_variance": torch.zeros(count, 8),
            "score": torch.ones(count, 1),
            "class_logits": torch.zeros(count, 5),
        }
        if self.wrong != "":
            outputs[self.wrong] = torch.zeros(count, 2, 2)
        return outputs


def card(**fields: object) -> ModelCard:
    values: dict[str, object] = {"name": "small", "input_width": 24, "input_height": 20}
    return ModelCard(**{**values, **fields})  # type: ignore[arg-type]


def crops(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 20, 24, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "small.pt"
    save_archive(path, torch.jit.script(SmallConvolution().eval()), card())
    return path


def exported(network: nn.Module) -> torch.export.ExportedProgram:
    batch = torch.export.Dim("batch", min=1, max=256)
    return torch.export.export(network.eval(), (crops(2),), dynamic_shapes=({0: batch},))


def refusal(path: Path | str, **options: object) -> str:
    with pytest.raises(ArchiveError) as caught:
        ModelArchive.open(path, **{"device": "cpu", **options})  # type: ignore[arg-type]
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_saved_archive_predicts_what_the_network_predicts(saved: Path) -> None:
    archive = ModelArchive.open(saved, device="cpu")
    batch = crops(5)
    with torch.no_grad():
        expected = SmallConvolution().eval()(batch).numpy()
    theta = archive.predict(batch.numpy()).theta
    assert theta.dtype == np.float64
    np.testing.assert_allclose(theta[:, :2], expected, atol=1e-6)
    np.testing.assert_array_equal(theta[:, 2], np.tile([0.0, 0.0, 1.0], (5, 1)))
    assert archive.format == "torchscript"


def test_exported_program_travels_with_the_same_card(tmp_path: Path, saved: Path) -> None:
    path = tmp_path / "small.pt2"
    written = save_archive(path, exported(SmallConvolution()), card(symmetry=4))
    archive = ModelArchive.open(path, device="cpu")
    assert archive.format == "export"
    assert archive.card == written
    assert archive.card.symmetry == 4
    assert archive.card.weights_sha256 == ModelArchive.open(saved).card.weights_sha256
    expected = ModelArchive.open(saved, device="cpu").predict(crops(3)).theta
    np.testing.assert_allclose(archive.predict(crops(3)).theta, expected, atol=1e-6)


def test_normalisation_of_the_card_is_applied(tmp_path: Path) -> None:
    class MeanAsTranslation(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            theta = torch.eye(3).unsqueeze(0).repeat(x.shape[0], 1, 1)
            return theta + 0 * theta * x.mean() + torch.eye(3) * x.mean(dim=[2, 3]).unsqueeze(2)

    path = tmp_path / "mean.pt"
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)
    save_archive(path, torch.jit.script(MeanAsTranslation()), card(mean=mean, std=std))
    theta = ModelArchive.open(path, device="cpu").predict(torch.full((1, 3, 20, 24), 0.6)).theta[0]
    expected = 1 + (0.6 - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(np.diag(theta), expected, rtol=1e-5)


def test_results_keep_their_bits_from_the_first_call_on(saved: Path) -> None:
    archive = ModelArchive.open(saved, device="cpu")
    first = archive.predict(crops(4)).theta
    for size in (1, 7, 4):
        for _ in range(3):
            archive.predict(crops(size, seed=size))
    np.testing.assert_array_equal(archive.predict(crops(4)).theta, first)
    again = ModelArchive.open(saved, device="cpu")
    again.warm_up([1, 4, 9])
    np.testing.assert_array_equal(again.predict(crops(4)).theta, first)


def test_another_batch_size_differs_by_rounding_only(saved: Path) -> None:
    archive = ModelArchive.open(saved, device="cpu")
    batch = crops(6)
    one_by_one = np.concatenate([archive.predict(batch[i : i + 1]).theta for i in range(6)])
    np.testing.assert_allclose(archive.predict(batch).theta, one_by_one, atol=1e-5)


def test_an_empty_batch_is_not_run(saved: Path) -> None:
    assert ModelArchive.open(saved, device="cpu").predict(crops(0)).theta.shape == (0, 3, 3)


def test_a_dict_of_outputs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "extras.pt"
    save_archive(path, torch.jit.script(WithExtras()), card())
    output = ModelArchive.open(path, device="cpu").predict(crops(3))
    assert output.log_variance is not None and output.log_variance.shape == (3, 8)
    assert output.score is not None and output.score.shape == (3,)
    assert output.class_logits is not None and output.class_logits.shape == (3, 5)


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


def test_a_file_without_card_opens_with_the_cards_fields_given(tmp_path: Path) -> None:
    path = tmp_path / "plain.pt"
    torch.jit.save(torch.jit.script(SmallConvolution().eval()), str(path))
    assert "has no card" in refusal(path)
    archive = ModelArchive.open(path, device="cpu", cardless=card())
    assert archive.card.view_width == 24
    assert archive.predict(crops(2)).theta.shape == (2, 3, 3)


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


def test_crops_of_another_size_are_an_error(saved: Path) -> None:
    archive = ModelArchive.open(saved, device="cpu")
    with pytest.raises(ModelError, match="expected torch"):
        archive.predict(torch.zeros(2, 3, 24, 20))


def test_saving_replaces_the_file_whole_and_leaves_nothing_beside(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(ArchiveError, match="suffix"):
        save_archive(saved.with_suffix(".onnx"), torch.jit.script(SmallConvolution()), card())
    with pytest.raises(ArchiveError, match="scripted"):
        save_archive(saved, SmallConvolution(), card())  # type: ignore[arg-type]
    assert saved.read_bytes() == before
    save_archive(saved, torch.jit.script(SmallConvolution().eval()), card(name="second"))
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    assert ModelArchive.open(saved, device="cpu").card.name == "second"


def test_a_name_is_looked_up_and_a_path_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "share" / "stn_perception" / "models" / "toy"
    folder.mkdir(parents=True)
    (folder / "toy.pt").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert resolve_model("toy") == folder / "toy.pt"
    assert resolve_model("some/where/else.pt") == Path("some/where/else.pt")
    with pytest.raises(ArchiveError, match="toy"):
        resolve_model("no_such_model")
