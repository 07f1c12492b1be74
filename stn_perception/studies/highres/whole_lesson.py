# SPDX-License-Identifier: Apache-2.0
"""What the peer learns from: windows of shrunk frames with a verdict for every cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from stn_perception.studies.highres.backdrops import HEIGHT_PX, WIDTH_PX
from stn_perception.studies.highres.frames import draw_frames
from stn_perception.studies.highres.poses import pose_tensor
from stn_perception.studies.highres.reading import reader
from stn_perception.studies.highres.scoring import held_out, reading_figures
from stn_perception.studies.highres.whole import BACKGROUND
from stn_perception.studies.highres.windows import in_unit, numpy_generator, window_corner

_IGNORED = -100
# In sides of the sign from its middle: cells within see it whole, cells beyond are background.
_WITHIN, _BEYOND = 0.25, 0.6


@dataclass(eq=False)
class WholeLesson:
    """Cross-entropy in the cells of the sign, and in those of the background.

    Attributes:
        network: To be trained.
        cell_px: Side of its cells, pixels of the shrunk frames.
        factor: By which its frames are shrunk.
        window_px: Side of the windows that it learns from, pixels of the shrunk frames.
        localization: None.
    """

    network: nn.Module
    cell_px: int
    factor: int
    window_px: int
    localization: Sequence[nn.Module] = ()

    def batch(self, count: int, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Return windows and the classes of their cells; half of the windows hold the sign."""
        rng = numpy_generator(generator)
        frames = draw_frames("train", count, rng)
        side = self.window_px
        windows, corners = [], []
        for index, frame in enumerate(frames):
            place = frame.pose.center_px + rng.uniform(-0.5, 0.5, 2) * side * self.factor
            if index % 2:
                place = rng.uniform(0, (WIDTH_PX, HEIGHT_PX))
            left, top = window_corner((place[0], place[1]), side, self.factor)
            windows.append(frame.window(left, top, side, side, self.factor))
            corners.append((left, top))
        corner = torch.tensor(corners, dtype=torch.float32)
        classes = self._classes(
            pose_tensor(frames), corner, torch.tensor([frame.label for frame in frames]), side
        )
        return in_unit(windows), classes

    def _classes(self, poses: Tensor, corners: Tensor, digits: Tensor, side: int) -> Tensor:
        """N×H×W: a digit, the background, or ignored in between."""
        # A convolution with padding of half its kernel looks about its cell's first pixel.
        at = torch.arange(-(-side // self.cell_px)) * self.cell_px
        x = (corners[:, :1] + at + 0.5) * self.factor - poses[:, :1]
        y = (corners[:, 1:] + at + 0.5) * self.factor - poses[:, 1:2]
        away = torch.hypot(x.unsqueeze(1), y.unsqueeze(2)) / poses[:, 2].exp().view(-1, 1, 1)
        # A sign between the cells belongs to the nearest one.
        reach_px = 0.71 * self.cell_px * self.factor
        within = torch.clamp(reach_px / poses[:, 2].exp(), min=_WITHIN).view(-1, 1, 1)
        classes = torch.full(away.shape, _IGNORED)
        classes[away > torch.clamp(within, min=_BEYOND)] = BACKGROUND
        return torch.where(away <= within, digits.view(-1, 1, 1), classes)

    def loss(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """Return the sum of the two means."""
        windows, classes = batch
        logits = network(windows)
        losses = functional.cross_entropy(logits, classes, ignore_index=_IGNORED, reduction="none")
        signs = (classes >= 0) & (classes < BACKGROUND)
        background = classes == BACKGROUND
        return (losses * signs).sum() / signs.sum().clamp(min=1) + 2 * (
            losses * background
        ).sum() / background.sum().clamp(min=1)

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return the figures on the validation split."""
        return reading_figures(held_out("validation"), reader(network, self.factor))
