# SPDX-License-Identifier: Apache-2.0
"""An opened archive predicts what its network does, and a saved one is whole."""

from __future__ import annotations

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
)

from .small_archives import SmallConvolution, WithExtras, card, crops, exported, refusal


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


def test_a_file_without_card_opens_with_the_cards_fields_given(tmp_path: Path) -> None:
    path = tmp_path / "plain.pt"
    torch.jit.save(torch.jit.script(SmallConvolution().eval()), str(path))
    assert "has no card" in refusal(path)
    archive = ModelArchive.open(path, device="cpu", cardless=card())
    assert archive.card.view_width == 24
    assert archive.predict(crops(2)).theta.shape == (2, 3, 3)


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
