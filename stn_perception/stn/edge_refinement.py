# SPDX-License-Identifier: Apache-2.0
"""Refine a quadrilateral by its edges: read four strips, fit a line in each, intersect the lines.

A corner is seen at one spot, which may be covered or faint; an edge is seen along its whole
length. Where the four corners are known to a few percent, the crop is read along each edge in the
same canonical orientation (inside below, outside above), so that one network serves all four. Per
column of a strip it says where the edge runs and how much that is to be trusted; a weighted
least-squares line through the columns gives the edge, and neighbouring edges the corners.
"""

from typing import Tuple  # noqa: UP035  (TorchScript reads this annotation)

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from stn_perception.stn.edge_lines import corners_of_ends, fitted_line, in_crop_axes, projected
from stn_perception.stn.transforms import theta_from_corners

# Of the view's half side: how far a strip reaches across its edge, and beyond the corners along.
REACH_ACROSS = 0.3
REACH_ALONG = 1.12

# Samples of a strip along and across its edge, samples per column of features, and the places
# across the edge that the network chooses among.
SAMPLES_ALONG = 48
SAMPLES_ACROSS = 32
COLUMNS = 16
BINS = 16


def centres(count: int) -> Tensor:
    """Return the middles of ``count`` equal parts of [-1, 1]."""
    return (torch.arange(count, dtype=torch.float32) * 2 + 1) / count - 1


def strip_points() -> Tensor:
    """Return where the four strips are read, 4×across×along×2, in the view's normalised axes.

    Strips follow the view clockwise (top, right, bottom, left); row 0 is the outermost.
    """
    along = centres(SAMPLES_ALONG) * REACH_ALONG
    across = centres(SAMPLES_ACROSS) * REACH_ACROSS
    y, x = torch.meshgrid(across - 1.0, along, indexing="ij")
    strips = [torch.stack([x, y], dim=2)]
    for _ in range(3):
        last = strips[-1]
        strips.append(torch.stack([-last[:, :, 1], last[:, :, 0]], dim=2))
    return torch.stack(strips)


class Mixing(nn.Module):
    """Add to each column what its neighbours say; the normalisation folds away."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution: nn.Module = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.normalization: nn.Module = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map M×C×columns."""
        return x + torch.relu(self.normalization(self.convolution(x)))

    def fold(self) -> None:
        """Fold the normalisation into the convolution (evaluation mode only)."""
        if isinstance(self.convolution, nn.Conv1d) and isinstance(
            self.normalization, nn.BatchNorm1d
        ):
            self.convolution = fuse_conv_bn_eval(self.convolution, self.normalization)
            self.normalization = nn.Identity()


class EdgeRefiner(nn.Module):
    """Corners known to a few percent to corners known well.

    Args:
        channels: of the crops.
        width: features of a column.
    """

    points: Tensor
    along: Tensor
    across: Tensor

    def __init__(self, channels: int = 1, width: int = 128) -> None:
        super().__init__()
        self.bins = BINS
        self.samples_along = SAMPLES_ALONG
        self.samples_across = SAMPLES_ACROSS
        # A column's features see the whole way across the edge at once.
        self.profile: nn.Module = nn.Conv2d(
            channels, width, (SAMPLES_ACROSS, 5), stride=(1, 3), padding=(0, 1), bias=False
        )
        self.normalization: nn.Module = nn.BatchNorm2d(width)
        self.first = Mixing(width)
        self.around = nn.Linear(2 * width, width)
        self.second = Mixing(width)
        self.third = Mixing(width)
        # Per column: heat and offset of each place across the edge, and trust.
        self.head = nn.Conv1d(width, 2 * BINS + 1, 1)
        self.error = nn.Linear(2 * width + 2, 2)
        self.register_buffer("points", strip_points().reshape(1, -1, 2))
        self.register_buffer("along", centres(COLUMNS) * REACH_ALONG)
        self.register_buffer("across", centres(BINS) * REACH_ACROSS)
        nn.init.zeros_(self.error.weight)

    def strips(self, crops: Tensor, corners: Tensor) -> Tensor:
        """Read the strips along a quadrilateral's edges, 4N×C×across×along.

        Args:
            crops: N×C×h×w.
            corners: N×4×2 in normalised crop axes, clockwise.
        """
        batch, channels = crops.size(0), crops.size(1)
        grid = projected(theta_from_corners(corners), self.points)
        read = nn.functional.grid_sample(
            crops,
            grid.reshape(batch, 4 * self.samples_across, self.samples_along, 2),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )
        read = read.reshape(batch, channels, 4, self.samples_across, self.samples_along)
        return read.transpose(1, 2).reshape(
            4 * batch, channels, self.samples_across, self.samples_along
        )

    def features(self, strips: Tensor) -> Tensor:
        """Return each column's features, 4N×width×columns."""
        x = torch.relu(self.normalization(self.profile(strips))).squeeze(2)
        x = self.first(x)
        # What the four edges of one quadrilateral show, for each of them.
        seen = self.around(_pooled(x)).reshape(-1, 4, x.size(1)).mean(dim=1, keepdim=True)
        x = x + seen.expand(-1, 4, -1).reshape(-1, x.size(1), 1)
        mixed: Tensor = self.third(self.second(x))
        return mixed

    def lines(self, strips: Tensor) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """Find the edge in each strip.

        Args:
            strips: 4N×C×across×along, the four of a quadrilateral one after another.

        Returns:
            how far outwards from the strip's middle the edge runs at its start and end (where the
            view's corners are), 4N×2, in half sides; their log-variance, 4N×2; the same distance
            in each column, 4N×columns.
        """
        features = self.features(strips)
        maps = self.head(features)
        heat = torch.softmax(maps[:, : self.bins], dim=1)
        step = self.across[1] - self.across[0]
        position = self.across.reshape(1, -1, 1) + maps[:, self.bins : 2 * self.bins] * step
        distance = -(heat * position).sum(dim=1)
        spread = (heat * (position + distance.unsqueeze(1)).square()).sum(dim=1)
        # No column is left out altogether, so that a line is always determined.
        trust = torch.softmax(maps[:, 2 * self.bins], dim=1) + 1e-4
        trust = trust / trust.sum(dim=1, keepdim=True)
        ends, residual = fitted_line(self.along, distance, trust)
        evidence = torch.stack([residual, (trust * spread).sum(dim=1)], dim=1)
        evidence = 0.3 * (torch.log(evidence + 1e-5) + 8.0)
        log_variance = self.error(torch.cat([_pooled(features), evidence], dim=1)) - 7.0
        return ends, log_variance, distance

    def forward(self, crops: Tensor, corners: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
        """Move corners onto the edges seen near them.

        Args:
            crops: N×C×h×w, each at zero mean and unit contrast.
            corners: N×4×2 in normalised crop axes, clockwise.

        Returns:
            corners, N×4×2, and their log-variance, N×4×2, in normalised crop axes.
        """
        ends, log_variance, _ = self.lines(self.strips(crops, corners))
        ends, log_variance = ends.reshape(-1, 4, 2), log_variance.reshape(-1, 4, 2)
        return in_crop_axes(corners, corners_of_ends(ends), log_variance)

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        if isinstance(self.profile, nn.Conv2d) and isinstance(self.normalization, nn.BatchNorm2d):
            self.profile = fuse_conv_bn_eval(self.profile, self.normalization)
            self.normalization = nn.Identity()
        for block in (self.first, self.second, self.third):
            block.fold()


def _pooled(features: Tensor) -> Tensor:
    return torch.cat([features.mean(dim=2), features.amax(dim=2)], dim=1)
