# SPDX-License-Identifier: Apache-2.0
"""The transformer of a 4K frame: it looks at the shrunk frame and samples one view in full."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from stn_perception.stn import sample, sampling_grid
from stn_perception.stn.blocks import ConvBlock
from stn_perception.studies.highres.features import run_features
from stn_perception.studies.highres.frames import LEAST_SIDE_PX, MOST_SIDE_PX
from stn_perception.studies.highres.poses import window_theta

# How much the frame is shrunk that the localization network looks at.
LOOK_FACTOR = 16
VIEW_PX = 32
# Holds the view of the largest sign at any angle.
WINDOW_PX = 288
# A cell of the heat map, in pixels of the frame.
CELL_PX = 4 * LOOK_FACTOR
_MARGIN = 1.25
_CLASSES = 10


class PoseFinder(nn.Module):
    """The localization network: a heat map says where, two more maps how large and how turned.

    Where is the expected place under the map's softmax about its peak, so that the loss of the
    class reaches it; size and angle are read there, too, by the same weights. Cells far from the
    peak take no part, so that a frame may be larger than the windows that were learnt from.

    `forward(N×1×h×w)` returns poses, N×4, and the heat's logits, N×H×W; places are in frame
    pixels from the first one of what is given.

    Args:
        widths: Of the convolutions; the first two halve the picture.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBlock(1, widths[0], stride=2, kernel=5)]
        for index, (before, after) in enumerate(itertools.pairwise(widths)):
            layers.append(ConvBlock(before, after, stride=2 if index == 0 else 1))
        self.features = nn.Sequential(*layers)
        self.last = nn.Conv2d(widths[-1], 5, 1)

    def forward(self, shrunk: Tensor) -> tuple[Tensor, Tensor]:
        """Return the poses and the logits of the heat."""
        maps = self.last(run_features(self.features, shrunk))
        index = _about_peak(maps[:, 0])
        rows, columns = index // maps.size(3), index % maps.size(3)
        near = maps.flatten(2).gather(2, index.unsqueeze(1).expand(-1, maps.size(1), -1))
        heat, x, y, log_side, angle = near.unbind(dim=1)
        center_x = (columns + 0.5 + x) * CELL_PX - 0.5
        center_y = (rows + 0.5 + y) * CELL_PX - 0.5
        middle = 0.5 * math.log(LEAST_SIDE_PX * MOST_SIDE_PX)
        poses = torch.stack([center_x, center_y, middle + log_side, angle], dim=2)
        return (heat.softmax(dim=1).unsqueeze(2) * poses).sum(dim=1), maps[:, 0]


def _about_peak(heat: Tensor) -> Tensor:
    """The cells within one of the hottest of N×H×W, N×9, as indices of H·W; none over the edge."""
    height, width = heat.shape[1:]
    peak = heat.flatten(1).argmax(dim=1)
    about = torch.arange(-1, 2, device=heat.device)
    rows = ((peak // width).clamp(1, height - 2).view(-1, 1, 1) + about.view(1, 3, 1)) * width
    columns = (peak % width).clamp(1, width - 2).view(-1, 1, 1) + about
    return (rows + columns).flatten(1)


class ViewReader(nn.Module):
    """The host: N×1×32×32 views to N×10 logits."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = [ConvBlock(1, widths[0])]
        for index, (before, after) in enumerate(itertools.pairwise(widths)):
            layers.append(ConvBlock(before, after, stride=2 if index < 2 else 1))
        self.features = nn.Sequential(*layers)
        self.last = nn.Linear(2 * widths[-1], _CLASSES)

    def forward(self, views: Tensor) -> Tensor:
        """Return the logits."""
        features = run_features(self.features, views)
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.last(pooled)
        return logits


class LookingReader(nn.Module):
    """Localization network, sampler and host.

    The view needs no more of the frame than a window, and samples nothing else of it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.finder = PoseFinder((16, 32, 64))
        self.host = ViewReader((16, 32, 64, 64, 82))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def view(self, windows: Tensor, corners_px: Tensor, poses: Tensor) -> Tensor:
        """Return the views, N×1×32×32, of square windows N×1×s×s whose first pixels are given."""
        side_px = windows.size(3)
        theta = window_theta(poses, corners_px, side_px, _MARGIN)
        grid = sampling_grid(theta, VIEW_PX, VIEW_PX, side_px, side_px)
        # A similarity's footprint is round: one tap is enough.
        return sample(
            windows, grid, padding="border", mip_levels=3, anisotropic_taps=1, theta_only=True
        )

    def forward(
        self,
        shrunk: Tensor,
        shift_px: Tensor,
        windows: Tensor,
        corners_px: Tensor,
        instead: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits N×10, poses N×4 in the frame, and the heat's logits N×H×W.

        Args:
            shrunk: N×1×h×w, the shrunk frames or windows of them, in [0, 1].
            shift_px: N×2, where those begin in the frame, (x, y) in frame pixels.
            windows: N×1×s×s of the frames in full.
            corners_px: N×2, where those begin.
            instead: N×4, poses whose views are read where a found one lies beside them: who
                learns to read needs something to read from the first.
        """
        poses, heat = self.finder(shrunk)
        poses = torch.cat([poses[:, :2] + shift_px, poses[:, 2:]], dim=1)
        beside = (poses - instead)[:, :2].norm(dim=1) > 0.5 * instead[:, 2].exp()
        read = torch.where(beside.unsqueeze(1), instead, poses)
        return self.host(self.view(windows, corners_px, read)), poses, heat
