# SPDX-License-Identifier: Apache-2.0
"""From scenes to crops: of boxes, and of views that a first estimate gave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.training.batch import Batch, batch_of
from stn_perception.training.crops import cut, frame_from_square
from stn_perception.training.road_signs.config import SignCropSettings
from stn_perception.training.road_signs.pool import SignPool
from stn_perception.training.scenes.given_box import given_box
from stn_perception.training.view_axes import SQUARE, projected

Points = NDArray[np.float64]
Matrix = NDArray[np.float64]
# From randomness, scenes and which of them, to the corners in the frame that were found of each.
FindViews = Callable[[np.random.Generator, SignPool, NDArray[np.int64]], "list[Points | None]"]

# Standard deviation of each edge of the box that a crop is cut by, as a share of its side.
_BOX_JITTER = 0.03


def _turn(angle_rad: float) -> NDArray[np.float64]:
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([(cosine, -sine), (sine, cosine)])


def is_convex(corners: Points) -> bool:
    """Whether four corners run clockwise around a convex quadrilateral."""
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    return bool((edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0] > 0.02).all())


def coarse_estimate(rng: np.random.Generator, sigma: float) -> Points:
    """Disturb a canonical square as Lin & Lucey 2017 do: every corner, and all of them together.

    Returns:
        4×2 in axes in which the canonical square spans -1 to 1; always convex.
    """
    while True:
        corners = SQUARE + rng.normal(0, sigma, (4, 2)) + rng.normal(0, sigma, 2)
        if is_convex(corners):
            return np.asarray(corners)


def _fine_estimate(rng: np.random.Generator, settings: SignCropSettings) -> Points:
    low, high = np.log(settings.fine_low), np.log(settings.fine_high)
    sigma = float(np.exp(rng.uniform(low, high)))
    own = SQUARE + rng.normal(0, 0.8 * sigma, (4, 2))
    own = own @ _turn(rng.normal(0, 0.7 * sigma)).T * (1 + rng.normal(0, 0.5 * sigma, 2))
    return np.asarray(own + rng.normal(0, 0.5 * sigma, 2))


def refinement_crop(
    rng: np.random.Generator, corners: Points, settings: SignCropSettings
) -> Matrix:
    """Return frame_from_crop of a crop along a disturbed estimate of the square."""
    coarse = rng.random() < settings.coarse_share
    sigma = settings.coarse_sigma
    own = coarse_estimate(rng, sigma) if coarse else _fine_estimate(rng, settings)
    if rng.random() < settings.turned_share:
        own = own @ _turn(rng.uniform(0, 2 * np.pi)).T
    return _along(frame_from_square(corners) @ frame_from_square(own), settings)


def _along(frame_from_view: Matrix, settings: SignCropSettings) -> Matrix:
    margin = settings.refinement_margin
    return np.asarray(frame_from_view @ np.diag([margin, margin, 1.0]))


def _found_crops(
    rng: np.random.Generator,
    pool: SignPool,
    indices: NDArray[np.int64],
    settings: SignCropSettings,
    find: FindViews,
) -> dict[int, Matrix]:
    """Return frame_from_crop by place in the batch, where the crop follows a find."""
    places = np.flatnonzero(rng.random(len(indices)) < settings.found_share)
    found = find(rng, pool, indices[places])
    return {
        int(place): _along(frame_from_square(corners), settings)
        for place, corners in zip(places, found, strict=True)
        if corners is not None
    }


def box_crop(rng: np.random.Generator, outline: Points, settings: SignCropSettings) -> Matrix:
    """Return frame_from_crop of a jittered bounding box, in a picture that may be turned."""
    turn = np.eye(2)
    if rng.random() < 0.7:
        turn = _turn(rng.uniform(0, 2 * np.pi))
    box = given_box(rng, outline @ turn, _BOX_JITTER)
    matrix = np.eye(3)
    matrix[:2, :2] = turn @ np.diag(box[2:] / 2 * settings.box_margin)
    matrix[:2, 2] = turn @ box[:2]
    return matrix


def random_batch(
    rng: np.random.Generator,
    pool: SignPool,
    indices: NDArray[np.int64],
    settings: SignCropSettings,
    size: int,
    find: FindViews | None = None,
) -> Batch:
    """Cut one crop from each of the scenes, with everything random that a step needs.

    Args:
        rng: source of all randomness of the batch.
        pool: the scenes.
        indices: N, which of them.
        settings: margins and errors.
        size: side of the crops.
        find: what finds the estimates of ``found_share``; without it all are random.

    Returns:
        Crops N×3×S×S; corners from the artwork's own top-left; class; in ``extra`` ``symmetry``
        (N), and how the view that the reader learns from is made: ``from_truth`` (N bool),
        ``view_turns`` (N) and ``view_corners`` (N×4×2).
    """
    count = len(indices)
    crops = np.empty((count, size, size, 3), np.float32)
    corners = np.empty((count, 4, 2), np.float32)
    refined = rng.random(count) < settings.refinement_share
    along = {} if find is None else _found_crops(rng, pool, indices, settings, find)
    refined[list(along)] = True
    for i, index in enumerate(indices):
        square = pool.corners[index]
        if i in along:
            matrix = along[i]
        elif refined[i]:
            matrix = refinement_crop(rng, square, settings)
        else:
            matrix = box_crop(rng, pool.outlines[index], settings)
        picture = pool.picture(int(index))
        crops[i] = cut(picture, matrix, size, "border" if rng.random() < 0.5 else "zeros")
        crop_from_frame = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
        corners[i] = projected(crop_from_frame, square)
    crops /= 255
    gain = np.exp(rng.normal(0, 0.1, (count, 1, 1, 3)) + rng.normal(0, 0.15, (count, 1, 1, 1)))
    sigma = rng.uniform(0, 0.025, (count, 1, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(crops.shape, dtype=np.float32) * sigma
    crops = np.clip(crops * gain.astype(np.float32) + noise, 0, 1)
    spread = rng.uniform(0.01, 0.08, (count, 1, 1))
    extra = {
        "symmetry": torch.from_numpy(pool.symmetry[indices]),
        "from_truth": torch.from_numpy(rng.random(count) < 0.4),
        "view_turns": torch.from_numpy(
            np.where(rng.random(count) < 0.5, 0, rng.integers(0, 4, count))
        ),
        "view_corners": torch.from_numpy(
            (SQUARE + rng.normal(0, 1, (count, 4, 2)) * spread).astype(np.float32)
        ),
    }
    return batch_of(
        torch.from_numpy(np.ascontiguousarray(crops.transpose(0, 3, 1, 2))),
        corners=torch.from_numpy(corners),
        class_index=torch.from_numpy(pool.class_index[indices]),
        refined=torch.from_numpy(refined),
        extra=extra,
    )
