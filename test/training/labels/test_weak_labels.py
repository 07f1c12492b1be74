# SPDX-License-Identifier: Apache-2.0
"""Weak labels are wrong by what is configured, and say of a crop what they say of the picture."""

import numpy as np
import pytest
import torch

from stn_perception.stn.corner_heatmaps import turn_of_corners
from stn_perception.training.crops import CropSettings
from stn_perception.training.labels.angles import QUARTER, quarter_difference, turn_rad
from stn_perception.training.labels.config import WeakConfig
from stn_perception.training.labels.crops import plain_crops, weak_batch
from stn_perception.training.labels.makers import WeakLabels, half_sides, make_labels
from stn_perception.training.labels.pseudo import pseudo_label
from stn_perception.training.labels.quads import overlaps, quads_of
from stn_perception.training.pool import ScenePool
from stn_perception.training.scenes.rendering import coverage
from stn_perception.training.strategies.corner_order import symmetric_error
from stn_perception.training.strategies.weak import carried

MARGIN = 1.25
QUAD = np.array([(40.2, 30.7), (150.1, 44.6), (139.8, 160.3), (25.5, 140.9)])


def labels_of(pool: ScenePool, **settings: object) -> WeakLabels:
    return make_labels(WeakConfig.model_validate(settings), pool, 5, MARGIN)


def part_of(pool: ScenePool, count: int) -> ScenePool:
    return ScenePool(
        pool.pixels,
        pool.starts[:count],
        pool.shapes[:count],
        pool.corners[:count],
        pool.boxes[:count],
    )


def in_half_sides(found: np.ndarray, pool: ScenePool) -> np.ndarray:
    unit = half_sides(pool.corners)
    return (found - pool.corners) / unit[:, None, None]


def test_noisy_corners_have_the_configured_error(pool: ScenePool) -> None:
    error = in_half_sides(labels_of(pool, labels="noisy", sigma=0.2).corners, pool)
    assert error.std() == pytest.approx(0.2, rel=0.03)
    assert abs(error.mean()) < 0.01


def test_a_bias_and_gross_errors_are_as_configured(pool: ScenePool) -> None:
    settings = {"labels": "noisy", "sigma": 0.02, "outlier_share": 0.2, "bias": (0.3, -0.1)}
    error = in_half_sides(labels_of(pool, **settings).corners, pool)
    assert np.median(error, axis=(0, 1)) == pytest.approx([0.3, -0.1], abs=0.02)
    gross = np.abs(error - [0.3, -0.1]).max(axis=(1, 2)) > 0.12
    assert gross.mean() == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("kind", ["noisy", "angle", "box"])
def test_a_scene_keeps_its_label_whatever_the_number_of_scenes(pool: ScenePool, kind: str) -> None:
    settings = {"labels": kind, "sigma": 0.1, "outlier_share": 0.3}
    few, all_of_them = labels_of(part_of(pool, 20), **settings), labels_of(pool, **settings)
    for name in ("corners", "angle", "box"):
        whole = getattr(all_of_them, name)[:20]
        assert np.array_equal(getattr(few, name), whole, equal_nan=True), name


def test_labels_know_no_more_than_their_kind(pool: ScenePool) -> None:
    angle, box = labels_of(pool, labels="angle"), labels_of(pool, labels="box")
    assert np.isnan(angle.corners).all() and np.isnan(box.corners).all()
    assert np.isnan(box.angle).all() and not np.isnan(box.box).any()
    given = np.concatenate(
        [pool.boxes[:, :2] - pool.boxes[:, 2:] / 2, pool.boxes[:, :2] + pool.boxes[:, 2:] / 2],
        axis=1,
    )
    assert np.allclose(angle.box, given), "the box that every detection brings"


def test_an_angle_is_off_by_sigma(pool: ScenePool) -> None:
    found = labels_of(pool, labels="angle", sigma=0.1).angle
    error = quarter_difference(torch.from_numpy(found), torch.from_numpy(turn_rad(pool.corners)))
    assert error.std().item() == pytest.approx(0.1, rel=0.06)


def test_quarter_turns_are_no_difference() -> None:
    angle = torch.linspace(-3, 3, 50)
    for turns in range(-3, 4):
        found = quarter_difference(angle + turns * QUARTER + 0.1, angle)
        assert torch.allclose(found, torch.tensor(0.1), atol=1e-5)


def test_a_rectangle_is_known_from_its_angle_and_box() -> None:
    angle, half = np.radians([10.0, 70.0, -25.0]), np.array([30.0, 12.0])
    own = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    turns = np.array([[(np.cos(a), -np.sin(a)), (np.sin(a), np.cos(a))] for a in angle])
    corners = own @ turns.transpose(0, 2, 1) + [50, 60]
    box = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    unknown = np.full((3, 4, 2), np.nan)
    found = quads_of(WeakLabels(unknown, angle, box, np.ones(3)))
    assert (overlaps(found, corners) > 0.9).all()


def test_overlap_is_what_a_shift_leaves() -> None:
    square = np.array([[(0.0, 0.0), (10, 0), (10, 10), (0, 10)]])
    assert overlaps(square, square)[0] == pytest.approx(1.0)
    assert overlaps(square, square + np.array([5, 0]))[0] == pytest.approx(1 / 3)
    assert overlaps(square, square + np.array([50, 0]))[0] == 0.0


def clean_panel() -> tuple[np.ndarray, np.ndarray]:
    pixels = (30 + 180 * coverage(QUAD, 190, 190)).astype(np.uint8)
    low, high = QUAD.min(axis=0), QUAD.max(axis=0)
    return pixels, np.concatenate([(low + high) / 2, high - low])


def test_pseudo_truth_of_a_clean_panel_is_right_and_sure() -> None:
    corners, confidence = pseudo_label(*clean_panel(), MARGIN)
    error = symmetric_error(torch.tensor(corners[None]), torch.tensor(QUAD[None]))
    assert error.item() < 2.0
    assert confidence > 0.8


def test_pseudo_truth_that_the_box_contradicts_is_not_believed() -> None:
    pixels, box = clean_panel()
    _, confidence = pseudo_label(pixels, box * [1, 1, 1.6, 1.6], MARGIN)
    assert confidence < 0.05


def test_nothing_in_the_picture_is_no_confidence() -> None:
    corners, confidence = pseudo_label(
        np.full((100, 100), 90, np.uint8), np.array([50.0, 50, 40, 40]), MARGIN
    )
    assert confidence == 0.0
    assert np.allclose(corners.min(axis=0), 30) and np.allclose(corners.max(axis=0), 70)


def test_confidence_sorts_right_from_wrong(pool: ScenePool) -> None:
    part = part_of(pool, 300)
    labels = labels_of(part, labels="pseudo")
    errors = symmetric_error(torch.tensor(labels.corners), torch.tensor(part.corners)).numpy()
    share = errors / half_sides(part.corners)
    sure = labels.confidence > np.quantile(labels.confidence, 0.7)
    assert np.median(share[sure]) < 0.4 * np.median(share[~sure])


def exact(pool: ScenePool) -> WeakLabels:
    low, high = pool.corners.min(axis=1), pool.corners.max(axis=1)
    box = np.concatenate([low, high], axis=1)
    return WeakLabels(pool.corners, turn_rad(pool.corners), box, np.ones(len(pool)))


def test_both_crops_of_a_scene_carry_the_same_truth(pool: ScenePool) -> None:
    rng, indices = np.random.default_rng(3), np.arange(40)
    batch = weak_batch(rng, pool, exact(pool), indices, CropSettings(), 0.08, 64)
    placed = carried(batch.extra["object_from_crop"], batch.corners)
    found = torch.cat([placed.amin(dim=1), placed.amax(dim=1)], dim=1)
    assert torch.allclose(found, batch.extra["box"], atol=1e-3)
    turns = quarter_difference(turn_of_corners(placed), batch.extra["angle"])
    assert turns.abs().max() < 1e-3
    twin = carried(torch.linalg.inv(batch.extra["object_from_twin"]), placed)
    unlike = (twin - batch.corners).abs().amax(dim=[1, 2])
    assert unlike.median() > 0.5, "the crops are turned differently"


def test_the_twin_shows_what_the_warps_say(pool: ScenePool) -> None:
    """Resampling the first crop along the two warps gives the second one."""
    rng, indices = np.random.default_rng(4), np.arange(60)
    size = 64
    batch = weak_batch(rng, pool, exact(pool), indices, CropSettings(), 0.05, size)
    axis = (torch.arange(size) * 2 + 1) / size - 1
    points = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=2).reshape(1, -1, 2)
    placed = carried(batch.extra["object_from_twin"], points.expand(len(indices), -1, -1))
    source = carried(torch.linalg.inv(batch.extra["object_from_crop"]), placed)
    grid = source.reshape(-1, size, size, 2)
    resampled = torch.nn.functional.grid_sample(batch.crops, grid, align_corners=False)
    inside = (grid.abs() < 0.97).all(dim=3).unsqueeze(1)
    alike = []
    for i in range(len(indices)):
        a, b = resampled[i][inside[i]], batch.extra["twin"][i][inside[i]]
        alike.append(torch.corrcoef(torch.stack([a, b]))[0, 1].abs())  # some are negatives
    assert torch.stack(alike).median() > 0.9


def test_plain_crops_are_what_the_runtime_cuts(pool: ScenePool) -> None:
    crops, frame_from_crop = plain_crops(part_of(pool, 5), MARGIN, 32)
    assert crops.shape == (5, 1, 32, 32)
    ends = frame_from_crop @ np.array([0.8, 0.8, 1.0])
    assert np.allclose(ends[:, :2], pool.boxes[:5, :2] + pool.boxes[:5, 2:] / 2)
