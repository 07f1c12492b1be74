# SPDX-License-Identifier: Apache-2.0
"""From scenes to what the network sees: first crops of boxes, and crops of refined views.

The geometry is the runtime's (`geometry.boxes.frame_from_crop` and its refinement), written here
for many small crops with random errors of the box and of the view.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stn_perception.geometry import is_convex_clockwise, normalized_from_pixel
from stn_perception.training.pool import ScenePool
from stn_perception.training.view_axes import SQUARE


class CropSettings(BaseModel):
    """How crops are cut from scenes.

    Attributes:
        box_margin: factor on the box; goes onto the card.
        refinement_margin: factor on the view for refinement crops; goes onto the card.
        refinement_share: share of the crops that follow a first estimate.
        noise_low, noise_high: bounds of the first estimate's corner error (log-uniform standard
            deviation), as a share of the object's half side.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    box_margin: float = Field(default=1.25, ge=1.0, le=3.0)
    refinement_margin: float = Field(default=1.25, ge=1.0, le=3.0)
    refinement_share: float = Field(default=0.5, ge=0.0, le=1.0)
    noise_low: float = Field(default=0.01, gt=0.0, le=0.5)
    noise_high: float = Field(default=0.15, gt=0.0, le=0.5)


@dataclass(frozen=True)
class CropBatch:
    """Crops with their exact corners.

    Attributes:
        crops: float32, N×1×S×S in [0, 1].
        corners: float32, N×4×2 in normalised crop axes, clockwise, starting anywhere.
        refined: bool, N: whether the crop followed a first estimate.
    """

    crops: NDArray[np.float32]
    corners: NDArray[np.float32]
    refined: NDArray[np.bool_]


def frame_from_square(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the 3×3 homography from normalised view axes to four corners in pixels."""
    return np.asarray(
        cv2.getPerspectiveTransform(SQUARE.astype(np.float32), corners.astype(np.float32)),
        dtype=np.float64,
    )


def cut(
    picture: NDArray[np.uint8],
    frame_from_normalized: NDArray[np.float64],
    size: int,
    padding: Literal["zeros", "border"] = "zeros",
) -> NDArray[np.uint8]:
    """Sample a square crop, averaging where the frame is finer than the crop.

    Args:
        picture: uint8, H×W.
        frame_from_normalized: 3×3, normalised crop axes to pixels of the picture.
        size: side of the crop.
        padding: what lies beyond the frame.

    Returns:
        uint8, ``size`` × ``size``.
    """
    corners = cv2.perspectiveTransform(SQUARE[None], frame_from_normalized)[0]
    diagonals = (corners[2] - corners[0], corners[3] - corners[1])
    area = 0.5 * abs(diagonals[0][0] * diagonals[1][1] - diagonals[0][1] * diagonals[1][0])
    samples = int(np.clip(np.ceil(np.sqrt(area) / size - 0.15), 1, 4))
    fine = size * samples
    pixels = cv2.warpPerspective(
        picture,
        frame_from_normalized @ normalized_from_pixel(fine, fine),
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT if padding == "zeros" else cv2.BORDER_REPLICATE,
    )
    if samples > 1:
        pixels = cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(pixels, dtype=np.uint8)


def _estimate(
    rng: np.random.Generator, corners: NDArray[np.float64], settings: CropSettings
) -> NDArray[np.float64]:
    """Disturb the truth as a first estimate would: each corner, and all of them together."""
    low, high = np.log(settings.noise_low), np.log(settings.noise_high)
    sigma = float(np.exp(rng.uniform(low, high)))
    # Errors in the view's own axes follow the object's foreshortening.
    own = SQUARE + rng.normal(0, sigma, (4, 2)) * 0.8
    angle = rng.normal(0, sigma * 0.5)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    own = own @ turn.T * (1 + rng.normal(0, sigma * 0.5, 2)) + rng.normal(0, sigma * 0.5, 2)
    estimate = cv2.perspectiveTransform(own[None], frame_from_square(corners))[0]
    return np.asarray(np.roll(estimate, int(rng.integers(4)), axis=0), dtype=np.float64)


def random_crop(
    rng: np.random.Generator, pool: ScenePool, index: int, settings: CropSettings, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64], bool]:
    """Cut one crop from one scene.

    Returns:
        The crop, uint8 ``size`` × ``size``; the corners, 4×2 in normalised crop axes; whether it
        followed a first estimate.
    """
    picture, corners, box = pool.picture(index), pool.corners[index], pool.boxes[index]
    refined = bool(rng.random() < settings.refinement_share)
    crop_matrix: NDArray[np.float64] | None = None
    if refined:
        estimate = _estimate(rng, corners, settings)
        if is_convex_clockwise(estimate):
            margin = settings.refinement_margin
            crop_matrix = frame_from_square(estimate) @ np.diag([margin, margin, 1.0])
    if crop_matrix is None:
        refined = False
        half = box[2:] * (settings.box_margin / 2) * (1 + rng.normal(0, 0.015, 2))
        centre = box[:2] + rng.normal(0, 0.01, 2) * box[2:]
        crop_matrix = np.array([(half[0], 0, centre[0]), (0, half[1], centre[1]), (0, 0, 1)])
    crop = cut(picture, crop_matrix, size)
    truth = cv2.perspectiveTransform(corners[None], np.linalg.inv(crop_matrix))[0]
    if rng.random() < 0.5:
        crop, truth = crop[:, ::-1], truth[::-1] * [-1, 1]
    if not refined and rng.random() < 0.5:
        crop, truth = crop.T, truth[::-1, ::-1]
    return crop, truth, refined


def random_batch(
    rng: np.random.Generator,
    pool: ScenePool,
    indices: NDArray[np.int64],
    settings: CropSettings,
    size: int,
) -> CropBatch:
    """Cut one crop from each of the scenes; some become negatives, all get a little noise.

    Args:
        rng: source of all randomness of the batch.
        pool: the scenes.
        indices: N, which of them.
        settings: margins and errors.
        size: side of the crops.
    """
    count = len(indices)
    crops = np.empty((count, 1, size, size), np.float32)
    corners = np.empty((count, 4, 2), np.float32)
    refined = np.empty(count, bool)
    for i, index in enumerate(indices):
        crop, corners[i], refined[i] = random_crop(rng, pool, int(index), settings, size)
        crops[i, 0] = crop
    return CropBatch(disturbed(rng, crops / np.float32(255)), corners, refined)


def disturbed(rng: np.random.Generator, crops: NDArray[np.float32]) -> NDArray[np.float32]:
    """Make some crops, float32 N×1×S×S in [0, 1], negatives and give all a little noise."""
    count = len(crops)
    negative = rng.random((count, 1, 1, 1)) < 0.08
    crops = np.where(negative, 1 - crops, crops)
    sigma = rng.uniform(0, 0.02, (count, 1, 1, 1)).astype(np.float32)
    noise = rng.standard_normal(crops.shape, dtype=np.float32) * sigma
    return np.asarray(np.clip(crops + noise, 0, 1), dtype=np.float32)
