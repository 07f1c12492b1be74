# SPDX-License-Identifier: Apache-2.0
"""What moves a network's answer: the gradient of its corners, and what hiding pixels does.

Both are of the network's first step: the crop of the box, before any refinement.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.geometry.quads import allowed_shifts
from stn_perception.runtime.archive import ModelArchive

Map = NDArray[np.float64]
_SQUARE = ((-1.0, -1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, 1.0), (-1.0, 1.0, 1.0))
_BATCH = 16


def gradient_maps(archive: ModelArchive, crops: NDArray[np.float32]) -> Map:
    """How far the predicted corners move per gray level of each pixel.

    Args:
        archive: the model.
        crops: N×C×h×w in [0, 1].

    Returns:
        N×h×w: the root of the summed squares of d corner / d pixel over the eight corner
        coordinates and the channels; pixels of the crop per full scale (0 to 1) of one pixel.

    Raises:
        ModelError: the network's program has no gradient.
    """
    maps = []
    for start in range(0, len(crops), _BATCH):
        batch = torch.as_tensor(crops[start : start + _BATCH], device=archive.device)
        batch = batch.clone().requires_grad_(True)
        corners = _corners_px(archive, archive.differentiable_theta(batch))
        squares = torch.zeros_like(batch)
        for coordinate in range(8):
            (slope,) = torch.autograd.grad(
                corners[:, coordinate].sum(), batch, retain_graph=coordinate < 7
            )
            squares += slope.square()
        maps.append(squares.sum(dim=1).sqrt().detach().cpu().numpy())
    return np.concatenate(maps).astype(np.float64)


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What hiding squares of a crop does.

    Attributes:
        shift_px: h×w, mean corner movement in pixels of the crop when a square over the pixel is
            hidden, averaged over the squares that cover it.
        at: M×2, centres of the squares (x, y).
        shifts: M, the movement for each.
    """

    shift_px: Map
    at: NDArray[np.int64]
    shifts: Map


def occlusion(archive: ModelArchive, crop: NDArray[np.float32], side_px: int) -> Occlusion:
    """Replace one square after another by the blurred crop, and watch the corners.

    Blurred rather than gray: a gray square would put edges of its own into the crop.

    Args:
        archive: the model; no gradient is needed.
        crop: C×h×w in [0, 1].
        side_px: of the squares; they overlap by half.
    """
    channels, height, width = crop.shape
    blurred = np.stack(
        [cv2.GaussianBlur(crop[c], (0, 0), 0.75 * side_px) for c in range(channels)]
    )
    step = max(1, side_px // 2)
    places = [
        (x, y)
        for y in range(0, height - side_px + 1, step)
        for x in range(0, width - side_px + 1, step)
    ]
    hidden = np.repeat(crop[None], len(places), axis=0)
    for i, (x, y) in enumerate(places):
        hidden[i, :, y : y + side_px, x : x + side_px] = blurred[
            :, y : y + side_px, x : x + side_px
        ]
    theta = [
        archive.predict(part).theta
        for part in (crop[None], *np.array_split(hidden, -(-len(hidden) // 64)))
    ]
    corners = _corners_px(archive, torch.as_tensor(np.concatenate(theta))).numpy()
    moved = _movement(corners[0].reshape(4, 2), corners[1:].reshape(-1, 4, 2), archive)
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for (x, y), shift in zip(places, moved, strict=True):
        total[y : y + side_px, x : x + side_px] += shift
        count[y : y + side_px, x : x + side_px] += 1
    return Occlusion(
        shift_px=total / np.maximum(count, 1),
        at=np.array([(x + side_px // 2, y + side_px // 2) for x, y in places]),
        shifts=moved,
    )


def _movement(before: Map, after: Map, archive: ModelArchive) -> Map:
    """Mean corner movement of N answers; another pose that looks alike is no movement."""
    turned = [np.roll(after, -shift, axis=1) for shift in allowed_shifts(archive.card.symmetry)]
    distances = [np.linalg.norm(each - before, axis=2).mean(axis=1) for each in turned]
    return np.asarray(np.min(distances, axis=0), dtype=np.float64)


def occlusion_side_px(archive: ModelArchive) -> int:
    """Side of the hidden squares: an eighth of the crop, and at least four pixels."""
    return max(4, min(archive.card.input_width, archive.card.input_height) // 8)


def rank_agreement(gradient: Map, hidden: Occlusion, side_px: int) -> float:
    """Spearman's correlation of gradient and occlusion over the hidden squares."""
    smooth = np.asarray(cv2.boxFilter(gradient, -1, (side_px, side_px)), dtype=np.float64)
    return spearman(smooth[hidden.at[:, 1], hidden.at[:, 0]], hidden.shifts)


def spearman(first: Map, second: Map) -> float:
    """Spearman's rank correlation; NaN where one does not vary."""
    if len(first) < 2 or min(np.ptp(first), np.ptp(second)) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(first), _ranks(second))[0, 1])


def _ranks(values: Map) -> Map:
    """Ranks from 0; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts + 1) / 2)[place])


def _corners_px(archive: ModelArchive, theta: Tensor) -> Tensor:
    """Predicted corners N×8 in pixels of the crop (their origin does not matter here)."""
    square = theta.new_tensor(_SQUARE)
    points = square @ theta.transpose(1, 2)
    half = theta.new_tensor([archive.card.input_width / 2, archive.card.input_height / 2])
    return (points[..., :2] / points[..., 2:] * half).flatten(1)
