# SPDX-License-Identifier: Apache-2.0
"""The same job as most people write it: whole frames as floats, kornia's warps, eager torch.

Boxes to crops, the network, its transforms composed with the crops, the crops taken again along
the predicted views as often as the model's card says, and the views as uint8. What the Pipeline
does beyond that (antialiasing, uncertainties and the boxes as evidence, tracks, poses, virtual
cameras) is left out, which is to its advantage.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.benchmarks.peers.tensor_warps import kornia_views, pixels_of, planes_of
from stn_perception.runtime.archive import ModelArchive

Tensor = torch.Tensor


@dataclass(frozen=True, eq=False)
class EagerViews:
    """What it found in a frame.

    Attributes:
        frame_from_view: float32 N×3×3 in pixels, of the views that can be shown.
        views: uint8 N×H×W×C.
    """

    frame_from_view: Tensor
    views: NDArray[np.uint8]


class EagerPipeline:
    """One frame after the other; it keeps nothing between them.

    Args:
        archive: Its file is loaded again, its card says how to crop and how often to refine.

    Attributes:
        network_s: Seconds that the network took in the last frame.
    """

    def __init__(self, archive: ModelArchive) -> None:
        card = archive.card
        if card.input_width != card.input_height or card.view_width != card.view_height:
            raise ValueError(
                f"the model's crops are {card.input_width}×{card.input_height} and its views "
                f"{card.view_width}×{card.view_height}, expected squares"
            )
        self.network_s = 0.0
        self._card = card
        self._network = torch.jit.load(str(archive.path)).eval()  # type: ignore[no-untyped-call]
        self._mean = torch.tensor(card.mean).reshape(1, -1, 1, 1)
        self._std = torch.tensor(card.std).reshape(1, -1, 1, 1)
        self._crop_from_normalized = _pixel_from_normalized(card.input_width)
        self._view_from_normalized = _pixel_from_normalized(card.view_width)

    @torch.inference_mode()
    def __call__(self, pixels: NDArray[np.uint8], boxes: Tensor) -> EagerViews:
        """Views of boxes (N×4: centre x, centre y, width, height in pixels) of an rgb frame."""
        card = self._card
        self.network_s = 0.0
        planes = planes_of(pixels[None])
        frame_from_crop = self._crops_of(boxes)
        for step in range(card.refinement_steps + 1):
            crops = kornia_views(planes, torch.linalg.inv(frame_from_crop), card.input_width)
            if card.channels == 1:
                crops = crops.mean(dim=1, keepdim=True)
            theta = self._theta(crops)
            frame_from_normalized = frame_from_crop @ self._crop_from_normalized @ theta
            shown = _can_be_shown(frame_from_normalized)
            frame_from_normalized = frame_from_normalized[shown]
            if step < card.refinement_steps:
                margin = torch.diag(torch.tensor([card.refinement_margin] * 2 + [1.0]))
                frame_from_crop = frame_from_normalized @ (
                    margin @ torch.linalg.inv(self._crop_from_normalized)
                )
        frame_from_view = frame_from_normalized @ torch.linalg.inv(self._view_from_normalized)
        views = kornia_views(planes, torch.linalg.inv(frame_from_view), card.view_width)
        return EagerViews(frame_from_view, pixels_of(views))

    def _theta(self, crops: Tensor) -> Tensor:
        started = time.perf_counter()
        output = self._network((crops - self._mean) / self._std)
        self.network_s += time.perf_counter() - started
        theta: Tensor = output["theta"] if isinstance(output, dict) else output
        if theta.shape[1] == 2:
            last = theta.new_tensor([0.0, 0.0, 1.0]).expand(len(theta), 1, 3)
            theta = torch.cat([theta, last], dim=1)
        return theta

    def _crops_of(self, boxes: Tensor) -> Tensor:
        side, card = self._card.input_width, self._card
        scale = boxes[:, 2:] * card.box_margin / side
        if card.crop_shape == "square":
            scale = scale.amax(dim=1, keepdim=True).expand(-1, 2)
        transforms = torch.zeros(len(boxes), 3, 3)
        transforms[:, 0, 0], transforms[:, 1, 1], transforms[:, 2, 2] = scale[:, 0], scale[:, 1], 1
        transforms[:, :2, 2] = boxes[:, :2] - scale * ((side - 1) / 2)
        return transforms


def _pixel_from_normalized(side: int) -> Tensor:
    half, middle = side / 2, (side - 1) / 2
    return torch.tensor([[half, 0.0, middle], [0.0, half, middle], [0.0, 0.0, 1.0]])


def _can_be_shown(frame_from_normalized: Tensor) -> Tensor:
    """Which views are finite, not mirrored, and in front of the camera at all corners."""
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]])
    weights = (corners @ frame_from_normalized.transpose(1, 2))[..., 2]
    shown: Tensor = (weights > 0).all(dim=1) & (torch.linalg.det(frame_from_normalized) > 0)
    return shown
