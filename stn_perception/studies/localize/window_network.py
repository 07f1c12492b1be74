# SPDX-License-Identifier: Apache-2.0
"""The separate localiser: one classifier at every place and size, the best window is the box.

It is told the class of the scene only, as the transformer is: the evidence of all windows is
summed up for each class (multiple-instance learning), and no window has a truth of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from stn_perception.studies.localize.pyramid import levels_of
from stn_perception.studies.localize.scene_kind import CLASS_COUNT

WINDOW_PX = 16
_STRIDE_PX = 4
# Sides of the levels: windows of 25 to 54 px of a scene of 84 px; more of them for the boxes.
_TRAINED_SIDES_PX = (54, 42, 32, 25)
_SEARCHED_SIDES_PX = (62, 54, 48, 42, 37, 32, 28, 25)
_SEARCHED_SHIFTS_PX = (0, 2)


class WindowClassifier(nn.Module):
    """`forward(N×1×84×84)` returns N×10 logits of the scene.

    Args:
        widths: Features of the two convolutions and of a window.
    """

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 118)) -> None:
        super().__init__()
        first, second, of_window = widths
        cells = WINDOW_PX // _STRIDE_PX
        self.windows = nn.Sequential(
            nn.Conv2d(1, first, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(second, of_window, cells),
            nn.ReLU(),
            nn.Conv2d(of_window, CLASS_COUNT, 1),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits."""
        maps = [self.windows(level).flatten(2) for level in levels_of(images, _TRAINED_SIDES_PX)]
        return torch.cat(maps, dim=2).logsumexp(dim=2)

    def locate(self, images: Tensor) -> Tensor:
        """Return the best window, picture_from_window, N×2×3: of the surest class anywhere."""
        found = [
            self._window_scores(level, side_px, dx, dy)
            for level, side_px in zip(
                levels_of(images, _SEARCHED_SIDES_PX), _SEARCHED_SIDES_PX, strict=True
            )
            for dx in _SEARCHED_SHIFTS_PX
            for dy in _SEARCHED_SHIFTS_PX
        ]
        best = torch.cat([scores for scores, _ in found], dim=1).argmax(dim=1)
        x, y, scale = torch.cat([windows for _, windows in found])[best].unbind(dim=1)
        zero = torch.zeros_like(x)
        rows = [torch.stack([scale, zero, x], dim=1), torch.stack([zero, scale, y], dim=1)]
        return torch.stack(rows, dim=1)

    def _window_scores(
        self, level: Tensor, side_px: int, dx: int, dy: int
    ) -> tuple[Tensor, Tensor]:
        """Return N×M scores of a level's windows that begin at (dx, dy), and M×3 x, y, scale."""
        logits = self.windows(level[:, :, dy:, dx:])
        x = _centers(logits.size(3), dx, side_px).to(level.device)
        y = _centers(logits.size(2), dy, side_px).to(level.device)
        y, x = torch.meshgrid(y, x, indexing="ij")
        scale = torch.full_like(x, WINDOW_PX / side_px)
        windows = torch.stack([x.flatten(), y.flatten(), scale.flatten()], dim=1)
        return logits.amax(dim=1).flatten(1), windows


def _centers(count: int, first_px: int, side_px: int) -> Tensor:
    """Return the windows' centres along an axis, normalised."""
    return (first_px + WINDOW_PX / 2 + _STRIDE_PX * torch.arange(count)) * (2 / side_px) - 1
