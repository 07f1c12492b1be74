# SPDX-License-Identifier: Apache-2.0
"""What the looking network learns from: the digit through the view, and where the sign is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from stn_perception.studies.highres.frames import Frame, draw_frames
from stn_perception.studies.highres.looking import CELL_PX, LOOK_FACTOR
from stn_perception.studies.highres.poses import pose_tensor
from stn_perception.studies.highres.reading import reader
from stn_perception.studies.highres.scoring import held_out, reading_figures
from stn_perception.studies.highres.windows import in_unit, numpy_generator, window_corner

# Windows lie this much beside the sign: in use, they lie about a place that is found.
_BESIDE_PX = 60
_WINDOW_PX = 384
# Of the poses that are read until the network finds its own: x and y in sides, log side, rad.
_POSE_ERRORS = (0.08, 0.08, 0.1, 0.15)
# The localization network learns from windows of the shrunk frame: they cost a fifth.
_LOOK_PX = 80


@dataclass(eq=False)
class LookingLesson:
    """Cross-entropy of the digit, cross-entropy of the heat map's cell, and the pose's error.

    Attributes:
        network: To be trained.
        localization: Nothing learns at a gentler rate, as the place is told.
    """

    network: nn.Module
    localization: Sequence[nn.Module] = ()

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return windows of the shrunk frame and of the frame, their corners, poses and digits.

        The poses come twice: as they are, and with errors as those of a network that has learnt.
        """
        rng = numpy_generator(generator)
        frames = draw_frames("train", count, rng)
        reach_px = 0.45 * _LOOK_PX * LOOK_FACTOR
        looks, shifts = _windows(frames, _LOOK_PX, LOOK_FACTOR, reach_px, rng)
        windows, corners = _windows(frames, _WINDOW_PX, 1, _BESIDE_PX, rng)
        digits = torch.tensor([frame.label for frame in frames])
        poses = pose_tensor(frames)
        errors = torch.randn(poses.shape, generator=generator) * torch.tensor(_POSE_ERRORS)
        errors[:, :2] *= poses[:, 2:3].exp()
        return looks, shifts, windows, corners, poses, poses + errors, digits

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the sum of the three."""
        looks, shifts, windows, corners, truth, instead, digits = batch
        logits, poses, heat = network(looks, shifts, windows, corners, instead)
        cells = ((truth[:, :2] - shifts) / CELL_PX).long()
        index = cells[:, 1] * heat.size(2) + cells[:, 0]
        off = poses - truth
        off = torch.cat([off[:, :2] / truth[:, 2:3].exp(), off[:, 2:]], dim=1)
        return (
            functional.cross_entropy(logits, digits)
            + functional.cross_entropy(heat.flatten(1), index)
            + functional.smooth_l1_loss(off, torch.zeros_like(off), beta=0.3)
        )

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the figures on the validation split."""
        return reading_figures(held_out("validation"), reader(network, 1))


def _windows(
    frames: list[Frame], side_px: int, factor: int, reach_px: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Windows N×1×s×s about the signs or beside them, and where they begin, N×2 frame pixels."""
    cut, corners = [], []
    for frame in frames:
        x, y = frame.pose.center_px + rng.uniform(-reach_px, reach_px, 2)
        left, top = window_corner((x, y), side_px, factor)
        cut.append(frame.window(left, top, side_px, side_px, factor))
        corners.append((left * factor, top * factor))
    return in_unit(cut), torch.tensor(corners, dtype=torch.float32)
