# SPDX-License-Identifier: Apache-2.0
"""A short training of the task learns, repeats its batches, and exports."""

from pathlib import Path

import numpy as np
import pytest
import torch

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.checkpoints import read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.export import export_archive
from stn_perception.training.fit import fit
from stn_perception.training.road_signs.catalogue import class_names
from stn_perception.training.road_signs.pool import SignPool, draw_pool
from stn_perception.training.road_signs.task import SignsTask


def config_of(steps: int, epochs: int = 1, network: str = "reader") -> TrainingConfig:
    return TrainingConfig.model_validate(
        {
            "name": "tiny_signs",
            "task": "signs",
            "device": "cpu",
            "refinement_steps": 1,
            "signs": {
                "network": network,
                "count": 600,
                "held_out_count": 160,
                "view_size": 32,
                "scenes": {"min_side_px": 32.0, "max_side_px": 64.0, "max_tilt_deg": 30.0},
            },
            "network": {"input_size": 64, "widths": [8, 16, 32, 48]},
            "optimization": {
                "epochs": epochs,
                "steps_per_epoch": steps,
                "batch_size": 48,
                "learning_rate": 0.004,
                "average_decay": 0.97,
                "threads": 1,
                "loader_workers": 0,
            },
        }
    )


@pytest.fixture(scope="module")
def pool() -> SignPool:
    signs = config_of(1).signs
    assert signs is not None
    return draw_pool(1, signs.count, signs.scenes, 1, lambda done, total: None)


@pytest.mark.slow
def test_a_minute_of_training_learns_and_exports(pool: SignPool, tmp_path: Path) -> None:
    config = config_of(130)
    task = SignsTask(config, pool)
    held_out = task.held_out()
    torch.manual_seed(1)
    untrained = task.network().eval()
    checkpoint = fit(config, tmp_path / "run", task=task)
    trained = read_checkpoint(checkpoint).network()
    with torch.inference_mode():
        before, after = task.step(untrained, held_out), task.step(trained, held_out)
        found = task.figures(trained, held_out)
    assert after.figures["class_loss"] < before.figures["class_loss"] - 1.2
    assert after.figures["turn_loss"] < before.figures["turn_loss"] - 0.3
    assert after.figures["corner_error"] < 0.75 * before.figures["corner_error"]
    # Four times what guessing reads.
    assert found["refined_read"] > 4 / len(class_names())
    archive = ModelArchive.open(
        export_archive(checkpoint, tmp_path / "tiny.pt", samples=24), device="cpu"
    )
    assert archive.card.class_names == class_names()
    assert archive.card.symmetry == 1
    assert archive.card.channels == 3


def test_resuming_equals_never_stopping(pool: SignPool, tmp_path: Path) -> None:
    config = config_of(3, epochs=2)
    whole = fit(config, tmp_path / "whole", task=SignsTask(config, pool))
    first = tmp_path / "whole" / "checkpoints" / "epoch=0000.ckpt"
    resumed = fit(config, tmp_path / "resumed", first, task=SignsTask(config, pool))
    expected, found = read_checkpoint(whole).weights, read_checkpoint(resumed).weights
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_batches_depend_on_seed_step_and_rank_alone(pool: SignPool) -> None:
    first, again = SignsTask(config_of(1), pool), SignsTask(config_of(1), pool)
    one, same = first.batch(5, 0), again.batch(5, 0)
    assert torch.equal(one.crops, same.crops)
    assert all(torch.equal(one.extra[k], same.extra[k]) for k in one.extra)
    assert not torch.equal(one.crops, first.batch(6, 0).crops)
    assert not torch.equal(one.crops, first.batch(5, 1).crops)


def test_scenes_are_the_same_with_any_number_of_workers(pool: SignPool) -> None:
    signs = config_of(1).signs
    assert signs is not None
    other = draw_pool(1, 250, signs.scenes, 2, lambda done, total: None)
    assert np.array_equal(other.corners, pool.corners[:250])
    assert np.array_equal(other.picture(249), pool.picture(249))


def test_the_task_without_its_section_is_refused() -> None:
    config = TrainingConfig.model_validate({"name": "x", "task": "signs"})
    with pytest.raises(ConfigError, match="section signs"):
        SignsTask(config)


def test_the_classifier_without_the_transformer_trains_alike(pool: SignPool) -> None:
    task = SignsTask(config_of(1, network="plain"), pool)
    network = task.network()
    result = task.step(network, task.batch(0, 0))
    result.loss.backward()
    assert torch.isfinite(result.loss)
    assert torch.equal(network(task.batch(0, 0).crops)["theta"][0], torch.eye(3))
