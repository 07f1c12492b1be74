# SPDX-License-Identifier: Apache-2.0
"""A short training on table-top scenes learns, and its archive runs in the pipeline."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.batch import Batch
from stn_perception.training.calibration import one_sigma_factor
from stn_perception.training.checkpoints import read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.export import export_archive
from stn_perception.training.fit import fit
from stn_perception.training.tabletop import task as tabletop_task
from stn_perception.training.tabletop.measuring import measure_archive
from stn_perception.training.tabletop.oriented import oriented_box
from stn_perception.training.tabletop.pool import ScenePool
from stn_perception.training.tabletop.sample import BoxSample
from stn_perception.training.tabletop.task import TabletopTask


def config_of(steps: int) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {
            "name": "tabletop",
            "task": "tabletop",
            "device": "cpu",
            "refinement_steps": 1,
            "tabletop": {"rendered": 0, "pasted": 250, "rendered_share": 0.0, "workers": 1},
            "network": {"input_size": 32, "widths": [8, 16, 16, 24]},
            "optimization": {
                "epochs": 1,
                "steps_per_epoch": steps,
                "batch_size": 48,
                "learning_rate": 0.006,
                "average_decay": 0.97,
                "threads": 1,
                "loader_workers": 0,
            },
        }
    )


@pytest.fixture(scope="module")
def checkpoint(pasted_pool: ScenePool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tabletop_task._WATCHED_SCENES, kept = 5, tabletop_task._WATCHED_SCENES
    try:
        config = config_of(170)
        task = TabletopTask(config, {"pasted": pasted_pool})
        return fit(config, tmp_path_factory.mktemp("run"), None, "stn train", task)
    finally:
        tabletop_task._WATCHED_SCENES = kept


def loss_on(network: torch.nn.Module, task: TabletopTask, batch: Batch) -> dict[str, float]:
    network.eval()
    with torch.no_grad():
        return {k: float(v) for k, v in task.step(network, batch).figures.items()}


def test_a_minute_of_training_learns(checkpoint: Path, pasted_pool: ScenePool) -> None:
    trained = read_checkpoint(checkpoint)
    task = TabletopTask(trained.config, {"pasted": pasted_pool})
    torch.manual_seed(0)
    untrained = task.network()
    # Other crops than any step's.
    batch = task.batch(10_000, 0)
    before, after = loss_on(untrained, task, batch), loss_on(trained.network(), task, batch)
    assert after["corner_error"] < 0.7 * before["corner_error"]
    assert after["axis_error"] < 0.75 * before["axis_error"]
    assert after["outline_loss"] < 0.7 * before["outline_loss"]


def test_the_export_is_verified_and_runs_refined(checkpoint: Path, tmp_path: Path) -> None:
    tabletop = export_archive(checkpoint, tmp_path / "tabletop.pt", samples=20)
    archive = ModelArchive.open(tabletop, device="cpu")
    card = archive.card
    assert (card.family, card.symmetry, card.crop_shape) == ("affine", 2, "square")
    assert "n mod 5 is 4" in card.training.held_out
    picture = np.full((120, 160), 60, np.uint8)
    outline = np.array([(50.0, 40.0), (110.0, 58.0), (104.0, 78.0), (44.0, 60.0)])
    cv2.fillConvexPoly(picture, np.round(outline * 16).astype(np.int32), 200, cv2.LINE_AA, 4)
    low, high = outline.min(axis=0), outline.max(axis=0)
    box = np.concatenate([(low + high) / 2, high - low])
    sample = BoxSample(picture, oriented_box(outline), box, 0.0, "bar")
    for steps in (0, 1):
        errors = measure_archive(archive, [sample], steps)
        assert errors.refused == 0
        # A high-contrast bar is the easiest object there is.
        assert errors.angle_deg[0] < 12
        assert errors.angle_sigma_deg[0] > 0
    assert np.isfinite(one_sigma_factor(errors.in_sigmas, "boxes"))


def test_batches_depend_on_step_and_rank_alone(pasted_pool: ScenePool) -> None:
    config = config_of(5)
    first, second = (TabletopTask(config, {"pasted": pasted_pool}) for _ in range(2))
    second.batch(3, 0)
    assert torch.equal(first.batch(7, 0).crops, second.batch(7, 0).crops)
    assert not torch.equal(first.batch(7, 0).crops, first.batch(7, 1).crops)
    assert not torch.equal(first.batch(7, 0).crops, first.batch(8, 0).crops)


def test_wrong_configurations_are_refused_in_a_sentence() -> None:
    values = config_of(5).model_dump(mode="json")
    with pytest.raises(ConfigError, match="tabletop is missing"):
        TabletopTask(TrainingConfig.model_validate(values | {"tabletop": None}))
    with pytest.raises(ValueError, match="rendered is 0"):
        section = values["tabletop"] | {"rendered_share": 0.5}
        TrainingConfig.model_validate(values | {"tabletop": section})
    with pytest.raises(RuntimeError, match="prepare"):
        TabletopTask(config_of(5)).batch(0, 0)
