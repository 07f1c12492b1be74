# SPDX-License-Identifier: Apache-2.0
"""The one-dimensional spatial transformer: a network looks at a span of a sequence.

Jaderberg et al. 2015, section 3, with one axis. theta is (half width, centre) of the span in
normalised axes, so that x_source = half_width · x_view + centre; (1, 0) is the identity. Token i
of a sequence of n lies at (2 i + 1) / n - 1 and reaches from edge to edge (`align_corners=False`).
Sequences of a batch are padded to one length; the axes are those of each one's own length.

Half precision is lifted: a running sum of a thousand tokens needs float32.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stn_perception.stn.transforms import at_least_float32


class SequenceViews(NamedTuple):
    """What a transformer makes of a batch of sequences.

    Attributes:
        views: N×S×D.
        theta: N×2, half width and centre of the span in normalised source axes.
        shares: N×P, how much the localization network looks at each cell, 1 in all.
        cells: N×P×D, the coarse view of the whole sequence that it looks at.
    """

    views: Tensor
    theta: Tensor
    shares: Tensor
    cells: Tensor


def sample_span(sequence: Tensor, lengths: Tensor, theta: Tensor, positions: int) -> Tensor:
    """Sample a span of each sequence at equally spaced positions.

    Where the view is finer than the tokens this is linear sampling (equation 5 of the paper with
    one axis). Where it is coarser, a position shows the mean of the tokens that it covers, so that
    no word between two positions is lost; plain linear sampling at one word in sixteen would skip
    fourteen. Both are one rule: the mean over a window of one step, but at least one token, which
    is the difference of two values of the running sum. The derivative by theta is exact; on the
    edge of a token, where it jumps, it is the mean of both sides.

    Args:
        sequence: N×L×D, floating point.
        lengths: N, tokens of each sequence, 1 to L; what lies behind is never looked at.
        theta: N×2, half width and centre in normalised axes of each sequence's own length.
        positions: S, at least 1.

    Returns:
        N×S×D in the sequence's type; zeros where the span leaves the sequence.

    Raises:
        ValueError: another shape, or no position.
    """
    if sequence.dim() != 3 or theta.shape != (sequence.size(0), 2) or positions < 1:
        raise ValueError(
            "expected a sequence N×L×D, theta N×2 and at least one position, got "
            f"{list(sequence.shape)}, {list(theta.shape)} and {positions}"
        )
    theta = at_least_float32(theta)
    length = lengths.to(theta.dtype).unsqueeze(1)
    view = (2.0 * torch.arange(positions, dtype=theta.dtype, device=theta.device) + 1.0) / (
        positions
    ) - 1.0
    center = (theta[:, :1] * view + theta[:, 1:] + 1.0) / 2.0 * length
    width = theta[:, :1].abs() / positions * length
    width = torch.maximum(width, torch.ones_like(width))
    tokens = at_least_float32(sequence)
    sums = torch.cat([torch.zeros_like(tokens[:, :1]), tokens.cumsum(dim=1)], dim=1)
    limit = length.expand_as(center)
    end = _integral(tokens, sums, center + width / 2.0, limit)
    start = _integral(tokens, sums, center - width / 2.0, limit)
    return ((end - start) / width.unsqueeze(2)).to(sequence.dtype)


def _integral(tokens: Tensor, sums: Tensor, at: Tensor, length: Tensor) -> Tensor:
    """Return the integral of the tokens, each one wide, from 0 to `at` (N×S), N×S×D.

    Written from the token to the right and from the one to the left: equal values, and on an edge
    the mean of their slopes.
    """
    # Not clamp, whose slope on the limit is one side's.
    at = torch.minimum(torch.maximum(at, torch.zeros_like(at)), length)
    right = torch.minimum(at.detach().floor(), length - 1.0)
    left = (at.detach().ceil() - 1.0).clamp(min=0.0)
    from_right = _rows(sums, right) + (at - right).unsqueeze(2) * _rows(tokens, right)
    from_left = _rows(sums, left) + (at - left).unsqueeze(2) * _rows(tokens, left)
    return (from_right + from_left) / 2.0


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    """Gather rows N×S of N×L×D."""
    wanted = index.long().unsqueeze(2).expand(-1, -1, tensor.size(2))
    return tensor.gather(1, wanted)


def span_of_shares(shares: Tensor, smallest: float = 0.02) -> Tensor:
    """Return the span with the mean and the standard deviation of a distribution.

    A uniform distribution over a span gives exactly that span. So equal shares give the identity,
    the middle of the span always lies inside the sequence, and a network that scores the cells
    need not know how to count them.

    Args:
        shares: N×P, of equally wide cells, 1 in all.
        smallest: Half width of the smallest span, above 0.

    Returns:
        theta, N×2.
    """
    shares = at_least_float32(shares)
    cells = shares.size(1)
    x = (2.0 * torch.arange(cells, dtype=shares.dtype, device=shares.device) + 1.0) / cells - 1.0
    center = (shares * x).sum(dim=1, keepdim=True)
    # The second term is the variance inside a cell.
    variance = (shares * (x - center).square()).sum(dim=1) + 1.0 / (3.0 * cells**2)
    half_width = (3.0 * variance).clamp(min=smallest**2).sqrt()
    return torch.stack([half_width, center[:, 0]], dim=1)


class CellScores(nn.Module):
    """The localization network: a score for each cell of the coarse view, N×P×D to N×P.

    The last layer starts at zero, so that an untrained transformer passes the whole sequence on.

    Args:
        channels: D.
        hidden: channels of the hidden layers.
        kernel: cells that each of the two hidden convolutions sees, odd.
    """

    def __init__(self, channels: int, hidden: int = 16, kernel: int = 5) -> None:
        super().__init__()
        padding = kernel // 2
        self.first = nn.Conv1d(channels, hidden, kernel, padding=padding)
        self.second = nn.Conv1d(hidden, hidden, kernel, padding=padding)
        self.last = nn.Conv1d(hidden, 1, 1)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    def forward(self, cells: Tensor) -> Tensor:
        """Return how much each cell should be looked at."""
        x = torch.relu(self.first(_unit_contrast(cells).transpose(1, 2)))
        x = torch.relu(self.second(x))
        scores: Tensor = self.last(x)
        return scores[:, 0]


def _unit_contrast(cells: Tensor) -> Tensor:
    """Return each sequence at zero mean and unit contrast over its cells.

    Means over many tokens lie close together; without this the scores would stay equal.
    """
    centred = cells - cells.mean(dim=1, keepdim=True)
    # Under the root, as its slope at 0 is infinite: a text of one word has equal cells.
    contrast = (centred.square().mean(dim=[1, 2], keepdim=True) + 1e-10).sqrt()
    return centred / contrast


class SequenceTransformer(nn.Module):
    """A module to drop in front of any network of sequences: N×L×D in, N×S×D out.

    Args:
        localization: scores the whole sequence's cells, N×P×D to N×P; the softmax of the scores
            gives the span. None always looks at the whole sequence: the same network without a
            transformer.
        positions: S.
        cells: P.
        smallest: half width of the smallest span.
        sharpness: power of the shares whose span is read. The span of a standard deviation is
            stretched by a few percent left on far cells; above 1 these count less. The shares
            themselves stay as they are.
    """

    def __init__(
        self,
        localization: nn.Module | None,
        positions: int,
        cells: int = 64,
        smallest: float = 0.02,
        sharpness: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 < smallest <= 1:
            raise ValueError(f"the smallest half width is {smallest}, expected above 0, up to 1")
        if sharpness <= 0:
            raise ValueError(f"the sharpness is {sharpness}, expected above 0")
        self.sharpness = sharpness
        self.localization = localization
        self.positions = positions
        self.cells = cells
        self.smallest = smallest

    def forward(self, sequence: Tensor, lengths: Tensor) -> SequenceViews:
        """Return views and transforms of N×L×D sequences of the given lengths, N."""
        whole = _whole(sequence)
        cells = sample_span(sequence, lengths, whole, self.cells)
        if self.localization is None:
            theta, shares = whole, torch.full_like(cells[..., 0], 1.0 / self.cells)
        else:
            scores = at_least_float32(self.localization(cells))
            shares = torch.softmax(scores, dim=1)
            theta = span_of_shares(torch.softmax(self.sharpness * scores, dim=1), self.smallest)
        views = sample_span(sequence, lengths, theta, self.positions)
        return SequenceViews(views, theta, shares, cells)


def _whole(sequence: Tensor) -> Tensor:
    """Return the identity for each sequence, N×2."""
    ones = torch.ones(
        sequence.size(0), dtype=at_least_float32(sequence[:0]).dtype, device=sequence.device
    )
    return torch.stack([ones, torch.zeros_like(ones)], dim=1)


def span_overlap(one: Tensor, other: Tensor) -> Tensor:
    """Return the intersection over union of spans, N, given as theta, N×2 each."""
    starts, ends = zip(_edges(one), _edges(other), strict=True)
    shared = (torch.minimum(*ends) - torch.maximum(*starts)).clamp(min=0.0)
    return shared / (torch.maximum(*ends) - torch.minimum(*starts)).clamp(min=1e-12)


def _edges(theta: Tensor) -> tuple[Tensor, Tensor]:
    return theta[:, 1] - theta[:, 0], theta[:, 1] + theta[:, 0]
