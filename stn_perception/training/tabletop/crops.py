# SPDX-License-Identifier: Apache-2.0
"""From table-top scenes to what the network sees: first crops of boxes, crops of refined views.

The geometry is the runtime's (`geometry.boxes.frame_from_crop` with ``square``, and its
refinement), in a frame that is turned by any angle, so that one object is seen at all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.crops import CropSettings, cut
from stn_perception.training.scenes.given_box import given_box
from stn_perception.training.tabletop.oriented import OrientedBox
from stn_perception.training.tabletop.pool import ScenePool

# Standard deviation of each edge of the given box, as a share of its side.
BOX_JITTER = 0.025
# Side of the outline's mask that the network learns beside the box.
MASK_SHARE = 2

Matrix = NDArray[np.float64]
# From randomness, scenes, which objects and the seeds of how their crops are degraded, to
# picture_from_crop of the crops along what was found.
FindViews = Callable[
    [np.random.Generator, ScenePool, NDArray[np.int64], NDArray[np.int64]], "list[Matrix | None]"
]


class Crops(NamedTuple):
    """Crops with their truth.

    Attributes:
        crops: float32 N×1×S×S in [0, 1].
        corners: float32 N×4×2 of the oriented box in normalised crop axes.
        outlines: float32 N×(S/2)×(S/2): share of each cell that the whole outline covers.
        aspects: float32 N.
        refined: bool N.
    """

    crops: NDArray[np.float32]
    corners: NDArray[np.float32]
    outlines: NDArray[np.float32]
    aspects: NDArray[np.float32]
    refined: NDArray[np.bool_]


def _asked_for(outline: Matrix, seen: Matrix, truth: OrientedBox, kind: float) -> Matrix:
    return outline if kind < 0.45 else seen if kind < 0.7 else truth.corners


def detection(
    rng: np.random.Generator, outline: Matrix, seen: Matrix, truth: OrientedBox, kind: float
) -> Matrix:
    """Return a box as a detector may draw it, with errors: centre x, centre y, width, height.

    Args:
        rng: of the errors.
        outline: of all of the object, N×2.
        seen: of what shows, M×2.
        truth: the object's oriented box.
        kind: below 0.45 the box holds all of the object, up to 0.7 what shows, above that the
            oriented box's corners (detections that were made from oriented labels).
    """
    return given_box(rng, _asked_for(outline, seen, truth, kind), BOX_JITTER)


def first_crop(rng: np.random.Generator, pool: ScenePool, index: int, margin: float) -> Matrix:
    """picture_from_crop, normalised crop axes, of a frame that is turned at random."""
    outline, seen, truth = pool.outline(index), pool.visible(index), pool.truths[index]
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    picture_from_frame = np.array([(c, -s), (s, c)])
    kind = rng.random()
    points = _asked_for(outline, seen, truth, kind) @ picture_from_frame
    box = given_box(rng, points, BOX_JITTER)
    half = float(box[2:].max()) * margin / 2
    matrix = np.eye(3)
    matrix[:2, :2] = picture_from_frame * half
    matrix[:2, 2] = picture_from_frame @ box[:2]
    return matrix


def _refined(rng: np.random.Generator, truth: OrientedBox, settings: CropSettings) -> Matrix:
    """picture_from_crop after a first estimate with errors."""
    low, high = np.log(settings.noise_low), np.log(settings.noise_high)
    sigma = float(np.exp(rng.uniform(low, high)))
    u, v = truth.long_half, truth.short_half
    if truth.aspect < ANGLE_MAY_FLIP and rng.random() < 0.3:
        u, v = v, -u
    long, short = float(np.linalg.norm(u)), float(np.linalg.norm(v))
    # An error of the corners turns a short object further than a long one.
    turn = rng.normal(0, sigma * 0.6)
    c, s = np.cos(turn), np.sin(turn)
    scale = np.exp(rng.normal(0, sigma * 0.8, 2))
    skew = rng.normal(0, sigma * 0.2)
    along, across = u / long, v / short
    axis_u = (c * along + s * across) * long * scale[0]
    axis_v = (c * across - s * along) * short * scale[1] + skew * short * along
    sign = rng.choice([-1.0, 1.0])
    matrix = np.eye(3)
    matrix[:2, 0], matrix[:2, 1] = sign * axis_u, sign * axis_v
    matrix[:2, 2] = truth.centre + rng.normal(0, sigma * 0.6, 2) @ np.stack([u, v])
    margin = settings.refinement_margin
    return matrix @ np.diag([margin, margin, 1.0])


# Up to this aspect a first estimate may take the short axis for the long one.
ANGLE_MAY_FLIP = 1.15


def _cover(outline: Matrix, size: int) -> NDArray[np.float32]:
    """Share of each cell of the mask that a polygon in normalised crop axes covers."""
    fine = np.zeros((size, size), np.uint8)
    pixels = ((outline + 1) * size - 1) / 2
    fixed = np.clip(np.round(pixels * 16), -(2**20), 2**20).astype(np.int32)
    cv2.fillConvexPoly(fine, fixed, 255, cv2.LINE_AA, 4)
    cells = cv2.resize(fine, (size // MASK_SHARE,) * 2, interpolation=cv2.INTER_AREA)
    return cells.astype(np.float32) / np.float32(255)


def random_crop(
    rng: np.random.Generator,
    pool: ScenePool,
    index: int,
    settings: CropSettings,
    size: int,
    along: Matrix | None = None,
) -> tuple[NDArray[np.uint8], Matrix, Matrix, float, bool]:
    """Cut one crop of one object: along a find where one is given, else as the settings say.

    Returns:
        The crop, uint8 S×S; the oriented box's corners and the outline, both in normalised crop
        axes; the outline's aspect; whether the crop followed a first estimate.
    """
    outline = pool.outline(index)
    truth = pool.truths[index]
    refined = along is not None or bool(rng.random() < settings.refinement_share)
    if along is not None:
        matrix = along
    elif refined:
        matrix = _refined(rng, truth, settings)
    else:
        matrix = first_crop(rng, pool, index, settings.box_margin)
    crop = cut(pool.pictures[pool.scene[index]], matrix, size)
    inverse = np.linalg.inv(matrix)
    corners = truth.corners @ inverse[:2, :2].T + inverse[:2, 2]
    own = outline @ inverse[:2, :2].T + inverse[:2, 2]
    if rng.random() < 0.5:
        # Mirrored: the corners' order is turned round, so that they stay clockwise.
        crop, corners, own = crop[:, ::-1], corners[[1, 0, 3, 2]] * [-1, 1], own * [-1, 1]
    return crop, corners, own, truth.aspect, refined


def degraded(rng: np.random.Generator, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Add what small and thermal pictures have: blur, smear, weak contrast, inversion, noise."""
    picture = crop.astype(np.float32) / np.float32(255)
    if rng.random() < 0.35:
        sigma = float(np.exp(rng.uniform(np.log(0.5), np.log(2.6))))
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.float32)
    if rng.random() < 0.12:
        length = 2 * int(rng.integers(1, 5)) + 1
        kernel = (length, 1) if rng.random() < 0.5 else (1, length)
        picture = np.asarray(cv2.blur(picture, kernel), dtype=np.float32)
    if rng.random() < 0.3:
        picture = 1 - picture
    if rng.random() < 0.3:
        level = np.float32(rng.uniform(0.15, 0.85))
        gain = np.float32(rng.uniform(0.25, 1.0))
        picture = level + (picture - picture.mean()) * gain
    strength = np.float32(rng.uniform(0, 0.02))
    picture = picture + rng.standard_normal(picture.shape, dtype=np.float32) * strength
    return np.asarray(np.clip(picture, 0, 1), dtype=np.float32)


def _found_crops(
    rng: np.random.Generator,
    pool: ScenePool,
    indices: NDArray[np.int64],
    find: FindViews,
    share: float,
) -> dict[int, tuple[Matrix, int]]:
    """Return crops along finds by place in the batch, with the seeds that degrade them."""
    places = np.flatnonzero(rng.random(len(indices)) < share)
    seeds = rng.integers(2**62, size=len(places))
    found = find(rng, pool, indices[places], seeds)
    return {
        int(place): (matrix, int(seed))
        for place, matrix, seed in zip(places, found, seeds, strict=True)
        if matrix is not None
    }


def random_batch(
    rng: np.random.Generator,
    pool: ScenePool,
    indices: NDArray[np.int64],
    settings: CropSettings,
    size: int,
    find: FindViews | None = None,
    found_share: float = 0.0,
) -> Crops:
    """Cut one crop of each of the objects.

    Args:
        rng: source of all randomness of the batch.
        pool: the scenes.
        indices: N, which objects.
        settings: margins and errors.
        size: side of the crops.
        find: what finds estimates to follow; without it all are random.
        found_share: share of the crops that follow a find; the settings' share is of the others.
    """
    count, cells = len(indices), size // MASK_SHARE
    crops = np.empty((count, 1, size, size), np.float32)
    corners = np.empty((count, 4, 2), np.float32)
    outlines = np.empty((count, cells, cells), np.float32)
    aspects = np.empty(count, np.float32)
    refined = np.empty(count, bool)
    along = {} if find is None else _found_crops(rng, pool, indices, find, found_share)
    for i, index in enumerate(indices):
        matrix, seed = along.get(i, (None, None))
        crop, corners[i], own, aspects[i], refined[i] = random_crop(
            rng, pool, int(index), settings, size, matrix
        )
        crops[i, 0] = degraded(rng if seed is None else np.random.default_rng(seed), crop)
        outlines[i] = _cover(own, size)
    return Crops(crops, corners, outlines, aspects, refined)
