# SPDX-License-Identifier: Apache-2.0
"""Refinement crops of objects along what an earlier network found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from stn_perception.training.batch import Batch
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.crops import CropSettings
from stn_perception.training.fit import fit
from stn_perception.training.tabletop import task as tabletop_task
from stn_perception.training.tabletop.config import TabletopConfig
from stn_perception.training.tabletop.crops import Matrix, random_batch
from stn_perception.training.tabletop.found_views import FoundViews
from stn_perception.training.tabletop.pool import ScenePool
from stn_perception.training.tabletop.task import TabletopTask


def config_of(**more: object) -> TrainingConfig:
    section = {"rendered": 0, "pasted": 250, "rendered_share": 0.0, "workers": 1}
    return TrainingConfig.model_validate(
        {
            "name": "tabletop",
            "task": "tabletop",
            "device": "cpu",
            "tabletop": section | more,
            "network": {"input_size": 32, "widths": [8, 8, 8, 16]},
            "optimization": {
                "epochs": 1,
                "steps_per_epoch": 2,
                "batch_size": 16,
                "threads": 1,
                "loader_workers": 0,
            },
        }
    )


def batch_of(config: TrainingConfig, pool: ScenePool) -> Batch:
    return TabletopTask(config, {"pasted": pool}).batch(4, 0)


@pytest.fixture(scope="module")
def earlier(pasted_pool: ScenePool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tabletop_task._WATCHED_SCENES, kept = 2, tabletop_task._WATCHED_SCENES
    try:
        config = config_of()
        task = TabletopTask(config, {"pasted": pasted_pool})
        return fit(config, tmp_path_factory.mktemp("earlier"), task=task)
    finally:
        tabletop_task._WATCHED_SCENES = kept


def test_a_crop_along_the_true_box_shows_it_straight_in_the_middle(
    pasted_pool: ScenePool,
) -> None:
    def find(
        rng: np.random.Generator,
        pool: ScenePool,
        indices: NDArray[np.int64],
        seeds: NDArray[np.int64],
    ) -> list[Matrix | None]:
        matrices: list[Matrix | None] = []
        for index in indices:
            truth, matrix = pool.truths[int(index)], np.eye(3)
            matrix[:2, 0], matrix[:2, 1] = 1.25 * truth.long_half, 1.25 * truth.short_half
            matrix[:2, 2] = truth.centre
            matrices.append(matrix)
        return matrices

    rng = np.random.default_rng(0)
    cut = random_batch(rng, pasted_pool, np.arange(40), CropSettings(), 32, find, 1.0)
    assert cut.refined.all()
    assert np.abs(np.abs(cut.corners) - 1 / 1.25).max() < 1e-4


def test_finds_follow_the_network_once_or_twice(pasted_pool: ScenePool, earlier: Path) -> None:
    """A network that calls the crop's middle third the box crops ever closer."""
    settings = TabletopConfig(found_share=1.0, found_by=earlier)
    views = FoundViews(settings, CropSettings(box_margin=1.5, refinement_margin=1.5), 32)

    class MiddleThird(torch.nn.Module):
        def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"theta": torch.diag(torch.tensor([1 / 3, 1 / 3, 1])).expand(len(crops), 3, 3)}

    def halves(looks: bool) -> NDArray[np.float64]:
        if looks:
            views.__dict__["network"] = MiddleThird()
        indices = np.zeros(30, np.int64)
        found = views(np.random.default_rng(1), pasted_pool, indices, np.arange(30))
        return np.array([np.sqrt(abs(np.linalg.det(m[:2, :2]))) for m in found if m is not None])

    sizes = halves(True)
    assert len(sizes) == 30
    # 1.5 times a third of the first crop, or half of that again; boxes differ by half at most.
    once, twice = sizes[sizes > sizes.max() * 0.55], sizes[sizes <= sizes.max() * 0.55]
    assert len(once) >= 5
    assert len(twice) >= 5
    assert np.median(once) / np.median(twice) == pytest.approx(2, rel=0.3)


def test_a_run_goes_on_from_what_an_earlier_one_finds(
    pasted_pool: ScenePool, earlier: Path
) -> None:
    config = config_of(found_share=0.5, found_by=str(earlier))
    one, same = batch_of(config, pasted_pool), batch_of(config, pasted_pool)
    assert torch.equal(one.crops, same.crops)
    assert torch.isfinite(one.corners).all()
    assert not torch.equal(one.crops, batch_of(config_of(), pasted_pool).crops)


def test_finding_without_a_network_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"found_share is 0.3 without found_by"):
        TabletopConfig(found_share=0.3)


def test_a_missing_checkpoint_is_said_before_training(
    pasted_pool: ScenePool, tmp_path: Path
) -> None:
    config = config_of(found_share=0.5, found_by=str(tmp_path / "none.ckpt"))
    task = TabletopTask(config, {"pasted": pasted_pool})
    with pytest.raises(ConfigError, match=r"found_by: there is no checkpoint .*none.ckpt"):
        task.prepare(lambda done, total: None)
