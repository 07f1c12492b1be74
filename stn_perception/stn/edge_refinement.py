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

from stn_perception.stn.edge_lines import corners_of_ends, fitted_line, in_crop_axes
from stn_perception.stn.transforms import theta_from_corners

# Of the view's half side: how far a strip reaches across its edge, and beyond the corners along.
REACH_ACROSS = 0.3
REACH_ALONG = 1.12

# Samples of a strip along and across its edge, samples per column of features, and the places
# across the edge that the network chooses among.
SAMPLES_ALONG = 48
SAMPLES_ACROSS = 20
COLUMNS = 16
BINS = 16


def centres(count: int) -> Tensor:
    """Return the middles of ``count`` equal parts of [-1, 1]."""
    return (torch.arange(count, dtype=torch.float32) * 2 + 1) / count - 1


def strip_grid(theta: Tensor, along: Tensor, across: Tensor) -> Tensor:
    """Return where the four strips along a view's edges are read in the crop.

    Strips follow the view clockwise (top, right, bottom, left); row 0 is the outermost.

    Args:
        theta: N×3×3, view to crop in normalised axes.
        along: A, places along the top edge in the view's normalised axes.
        across: B, places across it.

    Returns:
        N×(4 B)×A×2 in normalised crop axes; a point behind the camera lands far outside.
    """
    # What a step along a strip's edge, and the next one's, adds to the homogeneous point: theta's
    # columns, turned by a quarter from strip to strip.
    axes = theta[:, :, :2]
    turning = torch.cat([axes, -axes, axes[:, :, :1]], dim=2).unsqueeze(3)
    # N×3×4×B and N×3×4×A, added to N×3×4×B×A.
    rows = torch.addcmul(theta[:, :, 2:].unsqueeze(3), turning[:, :, 1:], across)
    mapped = rows.unsqueeze(4) + (turning[:, :, :4] * along).unsqueeze(3)
    points = mapped[:, :2] / mapped[:, 2:].clamp(min=0.02)
    return points.flatten(2, 3).permute(0, 2, 3, 1)


class Mixing(nn.Module):
    """Add to each column what its neighbours say; the normalisation folds away."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.convolution: nn.Module = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.normalization: nn.Module = nn.BatchNorm1d(width)

    def forward(self, x: Tensor) -> Tensor:
        """Map M×C×columns."""
        return x + torch.relu_(self.normalization(self.convolution(x)))

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

    sample_along: Tensor
    sample_across: Tensor
    along: Tensor
    across: Tensor

    def __init__(self, channels: int = 1, width: int = 128) -> None:
        super().__init__()
        self.bins = BINS
        self.step = 2.0 * REACH_ACROSS / BINS
        # A column's features see the whole way across the edge at once.
        self.profile: nn.Module = nn.Conv2d(
            channels, width, (SAMPLES_ACROSS, 5), stride=(1, 3), padding=(0, 1), bias=False
        )
        self.normalization: nn.Module = nn.BatchNorm2d(width)
        self.first = Mixing(width)
        self.around = nn.Linear(2 * width, width)
        self.second = Mixing(width)
        # Per column: heat and offset of each place across the edge, and trust.
        self.head = nn.Conv1d(width, 2 * BINS + 1, 1)
        self.error = nn.Linear(2 * width + 2, 2)
        along, across = centres(SAMPLES_ALONG), centres(SAMPLES_ACROSS)
        self.register_buffer("sample_along", along * REACH_ALONG, persistent=False)
        self.register_buffer("sample_across", across * REACH_ACROSS - 1.0, persistent=False)
        self.register_buffer("along", centres(COLUMNS) * REACH_ALONG)
        self.register_buffer("across", centres(BINS) * REACH_ACROSS)
        nn.init.zeros_(self.error.weight)

    def strips(self, crops: Tensor, theta: Tensor) -> Tensor:
        """Read the strips along a quadrilateral's edges, 4N×C×across×along.

        Args:
            crops: N×C×h×w.
            theta: N×3×3, the quadrilateral's view to the crop in normalised axes.
        """
        grid = strip_grid(theta, self.sample_along, self.sample_across)
        read = nn.functional.grid_sample(
            crops,
            grid,
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )
        samples = [crops.size(0), crops.size(1), 4, -1, read.size(3)]
        return read.reshape(samples).transpose(1, 2).flatten(0, 1)

    def features(self, strips: Tensor) -> Tensor:
        """Return each column's features, 4N×width×columns."""
        x = torch.relu_(self.normalization(self.profile(strips))).squeeze(2)
        x = self.first(x)
        # What the four edges of one quadrilateral show, for each of them.
        seen = self.around(_pooled(x)).reshape(-1, 4, x.size(1)).mean(dim=1, keepdim=True)
        x = x + seen.expand(-1, 4, -1).reshape(-1, x.size(1), 1)
        mixed: Tensor = self.second(x)
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
        # Per column, so that the places across the edge are side by side: 4N×columns×maps.
        maps = nn.functional.linear(
            features.transpose(1, 2), self.head.weight.squeeze(2), self.head.bias
        )
        heat = torch.softmax(maps[:, :, : self.bins], dim=2)
        offset = maps[:, :, self.bins : 2 * self.bins]
        position = torch.add(self.across, offset, alpha=self.step)
        distance = -(heat * position).sum(dim=2)
        spread = (heat * (position + distance.unsqueeze(2)).square()).sum(dim=2)
        # No column is left out altogether, so that a line is always determined.
        trust = torch.softmax(maps[:, :, 2 * self.bins], dim=1) + 1e-4
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
        theta = theta_from_corners(corners)
        ends, log_variance, _ = self.lines(self.strips(crops, theta))
        ends, log_variance = ends.reshape(-1, 4, 2), log_variance.reshape(-1, 4, 2)
        return in_crop_axes(theta, corners_of_ends(ends), log_variance)

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        if isinstance(self.profile, nn.Conv2d) and isinstance(self.normalization, nn.BatchNorm2d):
            self.profile = fuse_conv_bn_eval(self.profile, self.normalization)
            self.normalization = nn.Identity()
        self.first.fold()
        self.second.fold()


def _pooled(features: Tensor) -> Tensor:
    return torch.cat([features.mean(dim=2), features.amax(dim=2)], dim=1)
