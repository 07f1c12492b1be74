# SPDX-License-Identifier: Apache-2.0
"""A minute of training on wrong labels ends nearer to the exact truth than the labels are."""

from pathlib import Path

import pytest

from stn_perception.training.checkpoints import read_checkpoint
from stn_perception.training.config import TrainingConfig
from stn_perception.training.fit import compared, fit
from stn_perception.training.pool import ScenePool
from stn_perception.training.quads import QuadsTask

from ..tiny import tiny_settings

CORNERS = "mean corner error (px of a 128 px crop)"
ANGLE = "mean angle error (°)"
BOX = "mean error of the bounding box (% of half a side)"

KINDS = [
    ({"labels": "noisy", "sigma": 0.35, "outlier_share": 0.1}, 1000, CORNERS, 0.75),
    ({"labels": "angle", "sigma": 0.35}, 800, ANGLE, 0.9),
    ({"labels": "box", "sigma": 0.25}, 300, BOX, 0.75),
    ({"labels": "pseudo"}, 1000, CORNERS, 0.8),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weak", "steps", "figure", "share"), KINDS, ids=[str(kind[0]["labels"]) for kind in KINDS]
)
def test_the_network_ends_better_than_its_labels(
    pool: ScenePool,
    scene_folder: Path,
    tmp_path: Path,
    weak: dict[str, object],
    steps: int,
    figure: str,
    share: float,
) -> None:
    settings = tiny_settings(scene_folder, 1, steps, strategy="weak", weak=weak)
    settings["network"] = {"input_size": 32, "widths": [16, 24, 32, 48]}
    config = TrainingConfig.model_validate(settings)
    checkpoint = fit(config, tmp_path, task=QuadsTask(config, pool))
    errors = compared(checkpoint)
    assert errors is not None
    print(errors.sentence())
    assert errors.network[figure] < share * errors.labels[figure], errors.sentence()
    # The weights that are compared are the ones a checkpoint gives.
    assert read_checkpoint(checkpoint).config.weak.labels == weak["labels"]


def test_exact_labels_are_compared_with_nothing(pool: ScenePool, scene_folder: Path) -> None:
    config = TrainingConfig.model_validate(tiny_settings(scene_folder, 1, 1))
    assert QuadsTask(config, pool).compare(QuadsTask(config, pool).network()) is None
