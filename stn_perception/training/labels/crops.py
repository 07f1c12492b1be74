# SPDX-License-Identifier: Apache-2.0
"""Two crops of one scene under known random warps, with what the label says of them.

Crops are cut by the given box, never by the label: a crop that follows a wrong label would show
the network the label's error. And they are turned by any angle: a label's constant error, or the
directions a box leaves open, then point everywhere, and what remains is the truth.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.training.batch import Batch, batch_of
from stn_perception.training.crops import CropSettings, cut, disturbed, frame_from_square
from stn_perception.training.labels.makers import WeakLabels
from stn_perception.training.pool import ScenePool
from stn_perception.training.view_axes import SQUARE, projected

Floats = NDArray[np.float64]


def turned_crop(rng: np.random.Generator, box: Floats, margin: float, warp: float) -> Floats:
    """Return a random crop of a box, 3×3, normalised crop axes to pixels.

    Args:
        rng: source of the turn, scale, place and perspective.
        box: centre x, centre y, width, height in pixels.
        margin: factor on the box.
        warp: standard deviation of each corner of the crop, in half sides.
    """
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    # Between the box's own scale and that at which the turned box is still seen whole.
    scale = (abs(c) + abs(s)) ** rng.uniform(0, 1) * np.exp(rng.normal(0, 0.05))
    turn = np.array([(c * scale, -s * scale, 0), (s * scale, c * scale, 0), (0, 0, 1)])
    half = box[2:] * margin / 2
    # From the box fitted to the crop, as the runtime does it, to the picture's own proportions:
    # there an oblong object's extent says the most about its turn.
    half = half * (half.max() / half) ** rng.uniform(0, 1)
    centre = box[:2] + rng.normal(0, 0.01, 2) * box[2:]
    box_matrix = np.array([(half[0], 0, centre[0]), (0, half[1], centre[1]), (0, 0, 1)])
    corners = SQUARE + rng.normal(0, warp, (4, 2))
    return np.asarray(box_matrix @ turn @ frame_from_square(corners))


def _own_axes(boxes: Floats) -> Floats:
    """Return N×3×3 from pixels to the box's centre as origin and half its mean side as unit."""
    matrices = np.zeros((len(boxes), 3, 3))
    unit = (boxes[:, 2] + boxes[:, 3]) / 4
    matrices[:, 0, 0] = matrices[:, 1, 1] = 1 / unit
    matrices[:, :2, 2] = -boxes[:, :2] / unit[:, None]
    matrices[:, 2, 2] = 1
    return matrices


def _tensor(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))


def weak_batch(
    rng: np.random.Generator,
    pool: ScenePool,
    labels: WeakLabels,
    indices: NDArray[np.int64],
    settings: CropSettings,
    warp: float,
    size: int,
) -> Batch:
    """Cut two crops of each of the scenes.

    Returns:
        ``crops``, and ``corners`` where the label has them, of the first crop; in ``extra``:

        - ``twin``: the second crop, N×1×S×S;
        - ``object_from_crop``, ``object_from_twin``: N×3×3 from normalised crop axes to axes
          parallel to the picture's, with the box's centre as origin and half its mean side as
          unit;
        - ``angle``, N, and ``box``, N×4, in those axes; NaN where the label lacks them.
    """
    count = len(indices)
    pictures = np.empty((2, count, 1, size, size), np.float32)
    matrices = np.empty((2, count, 3, 3))
    for i, index in enumerate(indices):
        for k in range(2):
            matrix = turned_crop(rng, pool.boxes[index], settings.box_margin, warp)
            pictures[k, i, 0] = cut(pool.picture(int(index)), matrix, size)
            matrices[k, i] = matrix
    crops = [disturbed(rng, part / np.float32(255)) for part in pictures]
    own = _own_axes(pool.boxes[indices])
    ends = projected(own, labels.box[indices].reshape(-1, 2, 2)).reshape(-1, 4)
    corners = projected(np.linalg.inv(matrices[0]), labels.corners[indices])
    return batch_of(
        torch.from_numpy(crops[0]),
        corners=_tensor(corners),
        weight=_tensor(labels.confidence[indices]),
        extra={
            "twin": torch.from_numpy(crops[1]),
            "object_from_crop": _tensor(own @ matrices[0]),
            "object_from_twin": _tensor(own @ matrices[1]),
            "angle": _tensor(labels.angle[indices]),
            "box": _tensor(ends),
        },
    )


def plain_crops(pool: ScenePool, margin: float, size: int) -> tuple[Tensor, Floats]:
    """Cut every scene as the runtime cuts a box.

    Returns:
        crops, N×1×S×S in [0, 1], and their matrices, N×3×3 from crop axes to pixels.
    """
    cv2.setNumThreads(1)
    matrices = np.zeros((len(pool), 3, 3))
    matrices[:, 0, 0] = pool.boxes[:, 2] * margin / 2
    matrices[:, 1, 1] = pool.boxes[:, 3] * margin / 2
    matrices[:, :2, 2] = pool.boxes[:, :2]
    matrices[:, 2, 2] = 1
    crops = np.array([cut(pool.picture(i), matrices[i], size) for i in range(len(pool))])
    return torch.from_numpy(crops[:, None].astype(np.float32) / 255), matrices
