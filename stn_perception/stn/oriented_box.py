# SPDX-License-Identifier: Apache-2.0
"""A localization network for the oriented box of the object in a crop.

An axis that looks the same turned by 180° has no continuous direction, but its doubled angle has:
the box's two half sides are predicted as lengths and doubled angles, so no labelling is torn.
Where the two axes cannot be told apart (a disc, a square) lengths and centre stay right and the
angle's uncertainty grows.

The network outlines the object, hidden parts included, and reads the box from the outline as it is
defined: axes from the outline's moments, then the outline is sampled along them (a spatial
transformer inside the network) and its extents are where its profiles end. Votes, pooled by
learned attention, correct what a soft outline leaves, and say what moments cannot: a refined crop
is stretched by the first estimate, and a box in it is no longer along its outline's principal
axes.
"""

from typing import Dict, Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import fold_blocks, unit_contrast
from stn_perception.stn.encoder_decoder import EncoderDecoder

# Centroid, second moments.
_MOMENTS = 5
_ATTENTIONS = 4
# Samples of the outline along each axis, and how far they reach in half widths of the crop.
_SAMPLES = 40
_REACH = 1.25
_VOTES = 12


class OrientedBoxNetwork(EncoderDecoder):
    """Crops to oriented boxes, their uncertainty and a score.

    Args:
        channels: of the crops, 1 or 3.
        input_size: crops are square with this side; a multiple of 16.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the input.
    """

    steps: Tensor
    grid: Tensor
    fine_grid: Tensor

    def __init__(
        self,
        channels: int = 1,
        input_size: int = 64,
        widths: Tuple[int, int, int, int] = (16, 32, 48, 64),  # noqa: UP006
    ) -> None:
        super().__init__(channels, input_size, widths)
        w4, w16 = widths[1], widths[3]
        self.attentions = _ATTENTIONS
        self.votes = _VOTES
        # 2×2 cells of the outline, attention maps, votes.
        self.maps = nn.Conv2d(w4, 4 + _ATTENTIONS + _VOTES, 1)
        self.shuffle = nn.PixelShuffle(2)
        pooled = _MOMENTS * (1 + _ATTENTIONS) + _ATTENTIONS * _VOTES + w16
        self.hidden = nn.Sequential(nn.Linear(pooled, 96), nn.ReLU(), nn.Linear(96, 64), nn.ReLU())
        # Doubled angles of both half sides, log lengths, centre; log-variances of the corners.
        self.shape = nn.Linear(64, 8)
        self.spread = nn.Linear(64, 8)
        self.moment_weight = nn.Parameter(torch.tensor(2.0))
        self.log_variance_shift = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.register_buffer("steps", _cell_positions(_SAMPLES) * _REACH)
        self.register_buffer("grid", _cell_centres(input_size // 4))
        self.register_buffer("fine_grid", _cell_centres(input_size // 2))
        nn.init.zeros_(self.shape.weight)
        nn.init.zeros_(self.spread.weight)
        with torch.no_grad():
            self.shape.bias.copy_(torch.tensor([0.1, 0, -0.1, 0, 0, 0, 0, 0]))
            self.spread.bias.fill_(-4.0)

    def box(self, crops: Tensor) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """Predict the box as corners, and the outline it was read from.

        Args:
            crops: float32 N×C×h×w in [0, 1].

        Returns:
            corners N×4×2 in normalised crop axes, of a view whose x runs along the long side;
            their log-variances N×4×2; the outline's logits N×h/2×w/2.
        """
        decoded, context = self.features(unit_contrast(crops))
        maps = self.maps(decoded)
        if torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._read(maps, context)
        # Half precision is for the convolutions; here it would turn a box by a tenth of a degree.
        with torch.autocast(crops.device.type, enabled=False):
            return self._read(maps.float(), context.float())

    def _read(self, maps: Tensor, context: Tensor) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """From maps and pooled features to corners, log-variances and the outline."""
        batch = maps.size(0)
        outline = self.shuffle(maps[:, :4]).squeeze(1)
        inside = _decided(torch.sigmoid(outline))
        flat = inside.reshape(batch, 1, -1) + 1e-4
        own = _moments(flat / flat.sum(dim=2, keepdim=True), self.fine_grid)
        first_vote = 4 + self.attentions
        logits = maps[:, 4:first_vote].reshape(batch, self.attentions, -1)
        attention = torch.softmax(logits, dim=2)
        seen = _moments(attention, self.grid)
        votes = maps[:, first_vote:].reshape(batch, self.votes, -1)
        pooled = torch.matmul(attention, votes.transpose(1, 2)).reshape(batch, -1)
        moments = torch.cat([own, seen], dim=1).reshape(batch, -1)
        hidden = self.hidden(torch.cat([moments, pooled, context], dim=1))
        corners = self._corners(inside, own.squeeze(1), self.shape(hidden))
        log_variance = self.spread(hidden) + self.log_variance_shift
        return corners, log_variance.reshape(batch, 4, 2), outline

    def _corners(self, inside: Tensor, moments: Tensor, shape: Tensor) -> Tensor:
        """From the outline (N×h×w), its moments (N×5) and corrections (N×8) to corners."""
        xx, yy, xy = moments[:, 2], moments[:, 3], moments[:, 4]
        total = xx + yy + 1e-4
        axis = torch.stack([(xx - yy) / total, 2 * xy / total], dim=1) * self.moment_weight
        along = _half_angle(axis + shape[:, 0:2])
        across = _half_angle(shape[:, 2:4] - axis)
        # Clockwise from the long side to the short one, as a view's corners have to be.
        turn = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
        across = across * torch.where(turn < 0, -1.0, 1.0).unsqueeze(1)
        centroid = moments[:, 0:2]
        long, short, middle = self._extents(inside, centroid, along, across)
        u = along * (long * torch.exp(shape[:, 4].clamp(-3.0, 3.0))).unsqueeze(1)
        v = across * (short * torch.exp(shape[:, 5].clamp(-3.0, 3.0))).unsqueeze(1)
        centre = middle + shape[:, 6:8]
        return torch.stack([centre - u - v, centre + u - v, centre + u + v, centre - u + v], dim=1)

    def _extents(
        self, inside: Tensor, centroid: Tensor, along: Tensor, across: Tensor
    ) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """Return half the outline's extents along two axes, N each, and their middle, N×2."""
        first = self.steps.reshape(1, -1, 1, 1) * along.unsqueeze(1).unsqueeze(1)
        second = self.steps.reshape(1, 1, -1, 1) * across.unsqueeze(1).unsqueeze(1)
        points = centroid.unsqueeze(1).unsqueeze(1) + first + second
        seen = nn.functional.grid_sample(
            inside.unsqueeze(1), points, mode="bilinear", padding_mode="zeros", align_corners=False
        ).squeeze(1)
        step = self.steps[1] - self.steps[0]
        # Whether any of the outline lies at this place along one axis, wherever across.
        profile_u = seen.amax(dim=2) + 1e-4
        profile_v = seen.amax(dim=1) + 1e-4
        sum_u, sum_v = profile_u.sum(dim=1), profile_v.sum(dim=1)
        middle_u = (profile_u * self.steps).sum(dim=1) / sum_u
        middle_v = (profile_v * self.steps).sum(dim=1) / sum_v
        middle = centroid + along * middle_u.unsqueeze(1) + across * middle_v.unsqueeze(1)
        return sum_u * step / 2, sum_v * step / 2, middle

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Predict the view in each crop.

        Args:
            crops: float32 N×C×h×w in [0, 1], normalised as the card says.

        Returns:
            ``theta`` N×3×3, view to crop in normalised axes (``align_corners=False``), affine,
            the view's x along the box's long side; ``log_variance`` N×8 of the view's corners
            (x, y of top-left, top-right, bottom-right, bottom-left) in normalised crop axes;
            ``score`` N, from 1 where the predicted corner error is far below a tenth of the
            crop's half width to 0 where it is far above.
        """
        corners, log_variance, _ = self.box(crops)
        centre = corners.mean(dim=1)
        u = (corners[:, 1] - corners[:, 0]) / 2
        v = (corners[:, 3] - corners[:, 0]) / 2
        affine = torch.stack([u, v, centre], dim=2)
        zeros = torch.zeros_like(affine[:, :1, :2])
        last = torch.cat([zeros, torch.ones_like(affine[:, :1, 2:])], dim=2)
        sigma = torch.exp(0.5 * log_variance).mean(dim=[1, 2])
        return {
            "theta": torch.cat([affine, last], dim=1),
            "log_variance": log_variance.reshape(-1, 8),
            "score": 1.0 / (1.0 + (sigma / 0.1).square()),
        }

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        fold_blocks(self)


def _cell_positions(cells: int) -> Tensor:
    """Normalised positions of a row's cells."""
    return (torch.arange(cells, dtype=torch.float32) * 2 + 1) / cells - 1


def _cell_centres(cells: int) -> Tensor:
    """Normalised positions of a square grid's cells, 2×(cells²)."""
    centres = _cell_positions(cells)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack([x.reshape(-1), y.reshape(-1)])


def _decided(inside: Tensor) -> Tensor:
    """Push probabilities towards 0 and 1, so that a faint haze has no area and no extent."""
    yes = inside.square()
    return yes / (yes + (1 - inside).square())


def _moments(weights: Tensor, grid: Tensor) -> Tensor:
    """Return x, y, xx, yy, xy (about the centroid) of N×K distributions over a grid, N×K×5."""
    x = (weights * grid[0]).sum(dim=2)
    y = (weights * grid[1]).sum(dim=2)
    dx = grid[0] - x.unsqueeze(2)
    dy = grid[1] - y.unsqueeze(2)
    return torch.stack(
        [
            x,
            y,
            (weights * dx * dx).sum(dim=2),
            (weights * dy * dy).sum(dim=2),
            (weights * dx * dy).sum(dim=2),
        ],
        dim=2,
    )


def _half_angle(doubled: Tensor) -> Tensor:
    """Return unit vectors, N×2, whose doubled angle is that of N×2 vectors; x is not negative."""
    # Off the one point where the angle has no derivative.
    x = torch.where(doubled[:, 0].abs() + doubled[:, 1].abs() < 1e-6, 1e-3, doubled[:, 0])
    angle = 0.5 * torch.atan2(doubled[:, 1], x)
    return torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
