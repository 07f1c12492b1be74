# SPDX-License-Identifier: Apache-2.0
"""A short training learns, resumes to the same weights, and exports to the same outputs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stn_perception.runtime.archive import ModelArchive
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training import export
from stn_perception.training.checkpoints import CheckpointError, read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.crops import random_batch
from stn_perception.training.export import export_archive
from stn_perception.training.fit import fit as fit_task
from stn_perception.training.pool import ScenePool
from stn_perception.training.quads import QuadsTask
from stn_perception.training.strategies import symmetric_error

from .tiny import tiny_settings


def config_of(epochs: int, steps: int) -> TrainingConfig:
    # The scenes are handed over: none are read from a folder.
    return TrainingConfig.model_validate(tiny_settings(Path("unused"), epochs, steps))


def fit(
    config: TrainingConfig, pool: ScenePool, output: Path, resume: Path | None, command: str = ""
) -> Path:
    return fit_task(config, output, resume, command, QuadsTask(config, pool))


@pytest.fixture(scope="module")
def checkpoint(pool: ScenePool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fit(config_of(2, 220), pool, tmp_path_factory.mktemp("run"), None)


def test_a_minute_of_training_learns(checkpoint: Path) -> None:
    trained = read_checkpoint(checkpoint)
    network, config = trained.network(), trained.config
    crops, corners, _, _, refined, _ = QuadsTask(config).held_out()
    with torch.inference_mode():
        found = corners_from_theta(network(crops)["theta"])
    errors = torch.nan_to_num(symmetric_error(found, corners), nan=2.0)
    square = 0.8 * torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    untrained = symmetric_error(square.expand(len(corners), 4, 2), corners)
    assert errors[~refined].median() < 0.6 * untrained[~refined].median()


def test_resuming_equals_never_stopping(pool: ScenePool, tmp_path: Path) -> None:
    config = config_of(2, 4)
    whole = fit(config, pool, tmp_path / "whole", None)
    first = tmp_path / "whole" / "checkpoints" / "epoch=0000.ckpt"
    resumed = fit(config, pool, tmp_path / "resumed", first)
    expected, found = read_checkpoint(whole).weights, read_checkpoint(resumed).weights
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_going_on_from_a_run_starts_with_its_weights_and_says_so(
    pool: ScenePool, checkpoint: Path, tmp_path: Path
) -> None:
    config = config_of(1, 1).model_copy(update={"initial": checkpoint})
    optimization = config.optimization.model_copy(update={"learning_rate": 1e-12})
    config = config.model_copy(update={"optimization": optimization})
    path = fit(config, pool, tmp_path, None, "stn train second.yaml")
    before, after = read_checkpoint(checkpoint), read_checkpoint(path)
    for name, value in before.weights.items():
        if "running" not in name and "num_batches" not in name:
            assert torch.allclose(value, after.weights[name], atol=1e-6), name
    assert after.commands == (*before.commands, "stn train second.yaml")
    assert len(after.runs) == 2


def test_another_network_is_not_gone_on_from(
    pool: ScenePool, checkpoint: Path, tmp_path: Path
) -> None:
    config = config_of(1, 1).model_copy(update={"initial": checkpoint})
    network = config.network.model_copy(update={"widths": (8, 16, 16, 32)})
    with pytest.raises(ConfigError, match="holds the network"):
        fit(config.model_copy(update={"network": network}), pool, tmp_path, None)


def test_the_loader_gives_the_same_crops_again(pool: ScenePool) -> None:
    settings = config_of(1, 1).crops
    indices = np.arange(8)
    first = random_batch(np.random.default_rng(5), pool, indices, settings, 32)
    again = random_batch(np.random.default_rng(5), pool, indices, settings, 32)
    assert np.array_equal(first.crops, again.crops)
    assert np.array_equal(first.corners, again.corners)


def test_crops_of_boxes_touch_the_inner_box(pool: ScenePool) -> None:
    settings = config_of(1, 1).crops.model_copy(update={"refinement_share": 0.0})
    batch = random_batch(np.random.default_rng(5), pool, np.arange(300), settings, 32)
    reach = np.abs(batch.corners).max(axis=1)
    assert np.median(reach) == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("format", "suffix"), [("torchscript", ".pt"), ("export", ".pt2")])
def test_an_exported_archive_says_what_the_network_said(
    checkpoint: Path,
    tmp_path: Path,
    format: str,
    suffix: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = export_archive(checkpoint, tmp_path / f"tiny{suffix}", format, samples=100)
    assert "largest difference from the training-time module" in capsys.readouterr().out
    archive = ModelArchive.open(path, device="cpu")
    network = read_checkpoint(checkpoint).network()
    crops = torch.rand((7, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(crops)["theta"].numpy()
    assert np.abs(archive.predict(crops).theta - expected).max() < 1e-4
    assert archive.card.symmetry == 4
    assert archive.card.refinement_steps == 1
    assert "coffee.png" in archive.card.training.held_out


def test_an_archive_that_differs_is_refused_and_the_old_one_stays(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "tiny.pt"
    export_archive(checkpoint, target, samples=100)
    before = target.read_bytes()
    # No rounding at all is allowed, and folding the normalisation rounds.
    monkeypatch.setattr(export, "MAX_DIFFERENCE", 0.0)
    with pytest.raises(export.ExportError, match="differs from the training-time module by"):
        export_archive(checkpoint, target, samples=100)
    assert target.read_bytes() == before
    assert list(tmp_path.iterdir()) == [target]


def test_a_suffix_that_is_no_archive_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(export.ExportError, match=r"ends in '\.onnx', expected \.pt or \.pt2"):
        export_archive(checkpoint, tmp_path / "tiny.onnx")


def test_both_formats_say_the_same_to_the_runtime(checkpoint: Path, tmp_path: Path) -> None:
    found = []
    for suffix in (".pt", ".pt2"):
        path = export_archive(checkpoint, tmp_path / f"tiny{suffix}", samples=100)
        crops = torch.rand((5, 1, 32, 32), generator=torch.Generator().manual_seed(2))
        found.append(ModelArchive.open(path, device="cpu").predict(crops))
    for name in ("theta", "log_variance", "score"):
        first, second = (getattr(output, name) for output in found)
        assert np.abs(first - second).max() < 1e-4, name


def test_views_are_shown_while_training(checkpoint: Path) -> None:
    events = EventAccumulator(str(checkpoint.parents[1] / "logs"), size_guidance={"images": 0})
    events.Reload()
    pictures = events.Images("held_out/views")
    assert [picture.step for picture in pictures] == [220, 440], "once per validation"
    encoded = np.frombuffer(pictures[-1].encoded_image_string, np.uint8)
    grid = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    assert grid.shape[1] % 64 == 0 and grid.std() > 20, "crops beside views of the same size"
    assert "held_out/first_median_px" in events.Tags()["scalars"]


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.ckpt"
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"cannot read the checkpoint .*no\.ckpt"):
        export_archive(path, tmp_path / "a.pt")
