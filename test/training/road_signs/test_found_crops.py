# SPDX-License-Identifier: Apache-2.0
"""Refinement crops along what an earlier network found."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from stn_perception.stn.sign_reader import SignReader
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.fit import fit
from stn_perception.training.road_signs.config import SignCropSettings
from stn_perception.training.road_signs.crops import Points, random_batch
from stn_perception.training.road_signs.found_views import FoundViews
from stn_perception.training.road_signs.pool import SignPool, pool_of, scene_number
from stn_perception.training.road_signs.scene_settings import SignSceneSettings
from stn_perception.training.road_signs.task import SignsTask
from stn_perception.training.view_axes import SQUARE

SCENES = SignSceneSettings(min_side_px=32.0, max_side_px=64.0, unknown_share=0.0)


def config_of(**more: object) -> TrainingConfig:
    signs = {"count": 32, "held_out_count": 16, "view_size": 16} | more
    return TrainingConfig.model_validate(
        {
            "name": "tiny_signs",
            "task": "signs",
            "device": "cpu",
            "signs": signs,
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


def finding(checkpoint: Path, **more: object) -> TrainingConfig:
    crops = {"found_share": 0.5, "found_by": str(checkpoint)}
    return config_of(crops=crops, **more)


@pytest.fixture(scope="module")
def pool() -> SignPool:
    return pool_of([scene_number(2, i, SCENES, False) for i in range(32)])


@pytest.fixture(scope="module")
def earlier(pool: SignPool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = config_of()
    return fit(config, tmp_path_factory.mktemp("earlier"), task=SignsTask(config, pool))


def test_a_crop_along_the_true_view_shows_it_upright_in_the_middle(pool: SignPool) -> None:
    settings = SignCropSettings(found_share=1.0, found_by=Path("x"), refinement_margin=1.6)

    def find(
        rng: np.random.Generator, scenes: SignPool, indices: NDArray[np.int64]
    ) -> list[Points | None]:
        return [scenes.corners[index] for index in indices]

    batch = random_batch(np.random.default_rng(0), pool, np.arange(32), settings, 48, find)
    assert batch.refined.all()
    expected = torch.from_numpy(SQUARE / 1.6).float().expand(32, 4, 2)
    assert torch.allclose(batch.corners, expected, atol=1e-3)


def test_what_is_not_found_is_cropped_along_a_random_estimate_or_a_box(pool: SignPool) -> None:
    settings = SignCropSettings(found_share=1.0, found_by=Path("x"), refinement_share=0.0)
    batch = random_batch(
        np.random.default_rng(0),
        pool,
        np.arange(32),
        settings,
        48,
        lambda rng, scenes, indices: [None] * len(indices),
    )
    assert not batch.refined.any()


def test_finds_lie_where_the_network_saw_them(pool: SignPool, earlier: Path) -> None:
    """From the same first crops, another network that shifts its view shifts the finds."""
    settings = SignCropSettings(found_share=1.0, found_by=earlier)
    views = FoundViews(settings, 32)
    assert isinstance(views.network, SignReader)
    plain = views(np.random.default_rng(3), pool, np.arange(32))
    with torch.no_grad():
        views.network.locator.start.add_(torch.tensor([0.2, 0.0]))
    moved = views(np.random.default_rng(3), pool, np.arange(32))
    pairs = [(a, b) for a, b in zip(plain, moved, strict=True) if a is not None and b is not None]
    assert len(pairs) >= 24
    assert all(np.isfinite(a).all() for a, _ in pairs)
    shifts = np.array([np.linalg.norm(b.mean(axis=0) - a.mean(axis=0)) for a, b in pairs])
    sides = np.array([np.linalg.norm(a[1] - a[0]) for a, _ in pairs])
    assert np.median(shifts / sides) > 0.05


def test_a_run_goes_on_from_what_an_earlier_one_finds(
    pool: SignPool, earlier: Path, tmp_path: Path
) -> None:
    config = finding(earlier)
    first, again = SignsTask(config, pool), SignsTask(config, pool)
    assert torch.equal(first.batch(4, 0).crops, again.batch(4, 0).crops)
    assert not torch.equal(first.batch(4, 0).crops, SignsTask(config_of(), pool).batch(4, 0).crops)
    assert fit(config, tmp_path / "run", task=first).is_file()


def test_the_classifier_learns_from_the_same_crops(pool: SignPool, earlier: Path) -> None:
    reader = SignsTask(finding(earlier), pool).batch(4, 0)
    plain = SignsTask(finding(earlier, network="plain"), pool).batch(4, 0)
    assert torch.equal(reader.crops, plain.crops)


def test_finding_without_a_network_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"found_share is 0.3 without found_by"):
        SignCropSettings(found_share=0.3)


def test_a_missing_checkpoint_is_said_before_training(pool: SignPool, tmp_path: Path) -> None:
    task = SignsTask(finding(tmp_path / "none.ckpt"), pool)
    with pytest.raises(ConfigError, match=r"found_by: there is no checkpoint .*none.ckpt"):
        task.prepare(lambda done, total: None)


def test_a_checkpoint_of_another_network_is_refused(pool: SignPool, tmp_path: Path) -> None:
    config = config_of(network="plain")
    plain = fit(config, tmp_path / "plain", task=SignsTask(config, pool))
    task = SignsTask(finding(plain), pool)
    with pytest.raises(ConfigError, match="holds a SignClassifier, expected a SignReader"):
        task.prepare(lambda done, total: None)
