# SPDX-License-Identifier: Apache-2.0
"""Generated corners are where an independent detector finds them."""

import cv2
import numpy as np
import pytest

from stn_perception.training.crops import cut
from stn_perception.training.pool import scene
from stn_perception.training.scenes import (
    HELD_OUT,
    TRAINING,
    QuadSceneSettings,
    cameras,
    degradations,
)
from stn_perception.training.scenes.rendering import coverage, plane_corners, render_plane

QUADS = [
    np.array([(20.3, 15.8), (101.6, 24.1), (93.2, 99.7), (14.4, 88.9)]),
    np.array([(60.0, 8.5), (110.2, 61.3), (57.7, 112.1), (9.9, 58.4)]),
    np.array([(30.1, 30.7), (95.4, 12.2), (80.8, 70.3), (40.6, 105.5)]),
]


def board(squares: int = 4, texels: int = 40) -> np.ndarray:
    pattern = (np.add.outer(np.arange(squares), np.arange(squares)) % 2 * 200 + 30).astype(
        np.uint8
    )
    return np.kron(pattern, np.ones((texels, texels), np.uint8))


def saddles(frame_from_plane: np.ndarray, squares: int = 4, texels: int = 40) -> np.ndarray:
    inner = np.arange(1, squares) * texels - 0.5
    points = np.stack(np.meshgrid(inner, inner), axis=-1).reshape(1, -1, 2)
    return cv2.perspectiveTransform(points, frame_from_plane)[0]


def refine(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 50, 1e-3)
    start = points.astype(np.float32).reshape(-1, 1, 2).copy()
    return cv2.cornerSubPix(picture, start, (5, 5), (-1, -1), criteria).reshape(-1, 2)


def crossing_of_edges(picture: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Corners of a bright quad on black: lines fitted to where each edge is half bright."""
    lines = []
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        normal = np.array([along[1], -along[0]]) / np.linalg.norm(along)
        points = []
        for share in np.linspace(0.2, 0.8, 25):
            offsets = np.linspace(-4, 4, 161)
            at = start + share * along + offsets[:, None] * normal
            profile = cv2.remap(
                picture.astype(np.float32),
                at[:, :1].astype(np.float32),
                at[:, 1:].astype(np.float32),
                cv2.INTER_LINEAR,
            )[:, 0]
            below = profile < 0.5 * (profile[0] + profile[-1])
            points.append(at[int(np.argmax(below))])
        mean = np.mean(points, axis=0)
        _, _, axes = np.linalg.svd(np.array(points) - mean)
        lines.append(np.append(axes[1], -axes[1] @ mean))
    found = [np.cross(lines[i - 1], lines[i]) for i in range(4)]
    return np.array([p[:2] / p[2] for p in found])


def drawn_board(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A picture of the board, and frame_from_plane in pixels."""
    frame_from_plane = cv2.getPerspectiveTransform(
        plane_corners(160, 160).astype(np.float32), corners.astype(np.float32)
    )
    return render_plane(board(), frame_from_plane, 120, 120).astype(np.uint8), frame_from_plane


@pytest.mark.parametrize("corners", QUADS)
def test_the_texture_lies_where_the_corners_say(corners: np.ndarray) -> None:
    picture, frame_from_plane = drawn_board(corners)
    truth = saddles(frame_from_plane)
    distances = np.linalg.norm(refine(picture, truth) - truth, axis=1)
    assert np.median(distances) < 0.1
    assert np.abs((refine(picture, truth) - truth).mean(axis=0)).max() < 0.03


@pytest.mark.parametrize("corners", QUADS)
def test_the_outline_lies_where_the_corners_say(corners: np.ndarray) -> None:
    cover = coverage(corners, 120, 120)
    assert cover.sum() == pytest.approx(cv2.contourArea(corners.astype(np.float32)), rel=2e-3)
    found = crossing_of_edges(cover, corners)
    assert np.linalg.norm(found - corners, axis=1).max() < 0.1


@pytest.mark.parametrize("corners", QUADS)
def test_crops_map_corners_exactly(corners: np.ndarray) -> None:
    picture, frame_from_plane = drawn_board(corners)
    frame_from_crop = np.array([(61.0, 4.0, 60.2), (-3.0, 59.0, 58.7), (0.02, 0.01, 1.0)])
    for size in (128, 64):
        crop = cut(picture, frame_from_crop, size)
        normalized = cv2.perspectiveTransform(
            saddles(frame_from_plane)[None], np.linalg.inv(frame_from_crop)
        )[0]
        truth = (normalized + 1) * size / 2 - 0.5
        inside = (np.abs(normalized) < 0.85).all(axis=1)
        error = refine(crop, truth[inside]) - truth[inside]
        assert np.abs(np.median(error, axis=0)).max() < 0.1, size


def test_blur_moves_nothing() -> None:
    corners = QUADS[0]
    for seed in range(12):
        rng = np.random.default_rng(seed)
        picture = degradations.blur(rng, 200 * coverage(corners, 120, 120), 90.0)
        found = crossing_of_edges(picture, corners)
        assert np.linalg.norm(found - corners, axis=1).max() < 0.15, seed


def test_a_scene_depends_on_its_seed_and_index_alone() -> None:
    settings = QuadSceneSettings()
    first, again = scene(4, 7, settings, False), scene(4, 7, settings, False)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.corners, again.corners)
    assert not np.array_equal(first.corners, scene(4, 8, settings, False).corners)
    assert not np.array_equal(first.corners, scene(4, 7, settings, True).corners)


def test_scenes_are_what_they_promise() -> None:
    settings = QuadSceneSettings()
    for index in range(150):
        sample = scene(1, index, settings, held_out=bool(index % 2))
        edges = np.roll(sample.corners, -1, axis=0) - sample.corners
        following = np.roll(edges, -1, axis=0)
        cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
        assert (cross > 0).all(), "corners are clockwise and convex"
        extent = np.ptp(sample.corners, axis=0)
        assert settings.min_side_px - 1e-6 <= extent.max() <= settings.max_side_px + 1e-6
        assert sample.pixels.dtype == np.uint8
        height, width = sample.pixels.shape
        centre = sample.corners.mean(axis=0)
        assert (centre > 0).all() and centre[0] < width and centre[1] < height
        loose = np.abs(sample.box[:2] - (sample.corners.min(0) + sample.corners.max(0)) / 2)
        assert (loose <= 0.12 * extent + 0.6).all()


def test_held_out_materials_appear_in_no_training_scene() -> None:
    for name in ("photographs", "fonts", "dictionaries", "shapes"):
        assert not set(getattr(TRAINING, name)) & set(getattr(HELD_OUT, name)), name
    assert not set(TRAINING.letters) & set(HELD_OUT.letters)


def test_projections_are_seen_from_the_front() -> None:
    rng = np.random.default_rng(0)
    seen = [cameras.random_projection(rng, 2.0) for _ in range(300)]
    kept = [quad for quad in seen if quad is not None]
    assert len(kept) > 100
    for quad in kept:
        x, y = quad[:, 0], quad[:, 1]
        assert np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) > 0
