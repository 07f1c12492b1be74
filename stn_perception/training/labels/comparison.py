# SPDX-License-Identifier: Apache-2.0
"""How wrong weak labels are, and how wrong a network is that has learned from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.labels.angles import QUARTER, turn_rad
from stn_perception.training.labels.crops import plain_crops
from stn_perception.training.labels.makers import WeakLabels, half_sides
from stn_perception.training.labels.quads import overlaps, quads_of
from stn_perception.training.pool import ScenePool
from stn_perception.training.strategies.corner_order import symmetric_error
from stn_perception.training.view_axes import SQUARE, projected

Floats = NDArray[np.float64]

# Half the side of the crop that errors are stated for.
_HALF_CROP_PX = 64


@dataclass(frozen=True)
class Compared:
    """Errors against exact truth.

    Attributes:
        labels: of the labels, per figure.
        network: of the network on the same scenes, per figure.
        samples: how many scenes.
    """

    labels: dict[str, float]
    network: dict[str, float]
    samples: int

    def sentence(self) -> str:
        """Return both in one line."""
        told = "; ".join(
            f"{name}: labels given {self.labels[name]:.2f}, network {self.network[name]:.2f}"
            for name in self.labels
        )
        return f"against exact truth on {self.samples} held-out scenes: {told}"


class Comparison:
    """Scenes with exact truth and weak labels of the same kind as in training.

    Args:
        pool: the scenes.
        labels: of the pool.
        margin: factor on the box for the crops.
        size: side of the network's crops.
    """

    def __init__(self, pool: ScenePool, labels: WeakLabels, margin: float, size: int) -> None:
        self.crops, self.frame_from_crop = plain_crops(pool, margin, size)
        self.truth = pool.corners
        self.given = quads_of(labels)

    def compare(self, network: nn.Module) -> Compared:
        """Measure labels and network; the network is in evaluation mode.

        A crop without a usable prediction counts with the error of the whole crop as answer.
        """
        with torch.inference_mode():
            device = next(network.parameters()).device
            found = corners_from_theta(network(self.crops.to(device))["theta"]).cpu().double()
        whole = torch.from_numpy(SQUARE)
        usable = torch.isfinite(found).all(dim=2).all(dim=1).reshape(-1, 1, 1)
        found = torch.where(usable, found, whole)
        return Compared(
            labels=self._figures(self.given),
            network=self._figures(
                projected(self.frame_from_crop, np.asarray(found.numpy(), dtype=np.float64))
            ),
            samples=len(self.truth),
        )

    def _figures(self, quads: Floats) -> dict[str, float]:
        """Return the errors of quadrilaterals, N×4×2 in pixels of the pictures."""
        crop_from_frame = np.asarray(np.linalg.inv(self.frame_from_crop), dtype=np.float64)
        errors = symmetric_error(
            _tensor(projected(crop_from_frame, quads)),
            _tensor(projected(crop_from_frame, self.truth)),
        )
        angles = turn_rad(quads) - turn_rad(self.truth)
        angles = np.abs(np.remainder(angles + QUARTER / 2, QUARTER) - QUARTER / 2)
        pixels = _HALF_CROP_PX * errors.numpy()
        sides = np.abs(_extents(quads) - _extents(self.truth)).mean(axis=1)
        return {
            "mean corner error (px of a 128 px crop)": float(pixels.mean()),
            "median corner error (px of a 128 px crop)": float(np.median(pixels)),
            "mean angle error (°)": float(np.degrees(angles).mean()),
            "mean overlap with the truth (IoU)": float(overlaps(quads, self.truth).mean()),
            "mean error of the bounding box (% of half a side)": float(
                100 * (sides / half_sides(self.truth)).mean()
            ),
        }


def _extents(quads: Floats) -> Floats:
    """Return the bounding boxes of quadrilaterals, N×4: lowest and highest x and y."""
    return np.concatenate([quads.min(axis=1), quads.max(axis=1)], axis=1)


def _tensor(values: Floats) -> Tensor:
    return torch.from_numpy(values)
