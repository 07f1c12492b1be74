# SPDX-License-Identifier: Apache-2.0
"""Several glimpses in sequence, each chosen by what the ones before have shown.

A coarse look at the whole picture gives a token for each of 6×6 cells. A small transformer reads
the glimpses taken so far; its last token asks every cell whether to look there next. What becomes
of the answers is the only difference between the rows: a spatial transformer takes their mean as
the centre of the next view, and the loss goes back through the sampler; REINFORCE draws a cell and
learns from whether that helped (Mnih et al. 2014, "Recurrent Models of Visual Attention"); fixed
glimpses ignore the answers.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from stn_perception.stn import homography_grid, ring_of_starts, sample
from stn_perception.studies.attention.blocks import (
    AttentionBlock,
    Readout,
    ViewEncoder,
    cell_centers,
)
from stn_perception.studies.attention.scenes import SIDE_PX

Choice = Literal["stn", "reinforce", "fixed"]

VIEW_PX = 16
# Of the picture's side: 32 px, a digit with a margin.
VIEW_SHARE = 32 / SIDE_PX
_CELL_ROWS = 6
_COARSE = 3
# Large enough for glimpses to begin at different places; equal ones would stay equal.
_FIRST_ASK = 2.0


class Glimpses(NamedTuple):
    """What a glimpse network makes of pictures.

    Attributes:
        scores: N×10, of the digits.
        centers: N×K×2, where it looked, (x, y) in normalised axes.
        log_probability: N×K, of each choice, where it was drawn; else zeros.
        entropy: N×K, of the distribution that it was drawn from, nats; else zeros.
        expected: N×K, what the network expected of its reward before each choice.
    """

    scores: Tensor
    centers: Tensor
    log_probability: Tensor
    entropy: Tensor
    expected: Tensor


class GlimpseNetwork(nn.Module):
    """N×1×72×72 pictures to scores of digits by K glimpses.

    Args:
        choice: How the answers of the cells become a place.
        width: Of a token.
        glimpses: K.
    """

    cells: Tensor
    starts: Tensor

    def __init__(self, choice: Choice, width: int = 48, glimpses: int = 3) -> None:
        super().__init__()
        self.choice = choice
        self.coarse = nn.Sequential(
            nn.Conv2d(1, 12, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(24, width, 3, padding=1),
            nn.ReLU(),
        )
        self.norm = nn.LayerNorm(width)
        self.key = nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.ask = nn.Parameter(torch.randn(glimpses, width) * _FIRST_ASK)
        self.encoder = ViewEncoder(width)
        self.place = nn.Linear(2, width)
        self.block = AttentionBlock(width, 2 * width)
        self.readout = Readout(width)
        self.expect = nn.Linear(width, 1)
        self.register_buffer("cells", cell_centers(_CELL_ROWS), persistent=False)
        self.register_buffer(
            "starts", torch.tensor(ring_of_starts(glimpses, 0.5)), persistent=False
        )

    def forward(self, images: Tensor) -> Glimpses:
        """Look K times and tell which digits there are."""
        context = self.coarse(avg_pool2d(images, _COARSE)).flatten(2).transpose(1, 2)
        keys = self.key(self.norm(context))
        # What all cells have in common says nothing about where to look.
        keys = keys - keys.mean(dim=1, keepdim=True)
        # A view is as fine as this picture, so that sampling it needs no antialiasing.
        halved = avg_pool2d(images, 2)
        state = context.mean(dim=1)
        tokens: list[Tensor] = []
        steps: list[tuple[Tensor, ...]] = []
        read = context[:, :0]
        for number, ask in enumerate(self.ask):
            query = self.query(state) + ask
            answers = (keys @ query.unsqueeze(2)).squeeze(2) / query.size(1) ** 0.5
            choice = self._choose(answers, number)
            # The expectation is not to shape what the network sees.
            steps.append((*choice, self.expect(state.detach()).squeeze(1)))
            tokens.append(self.encoder(self._look(halved, choice[0])) + self.place(choice[0]))
            read = self.block(torch.stack(tokens, dim=1))
            state = read[:, -1]
        scores = self.readout(torch.cat([read, context], dim=1))
        return Glimpses(scores, *(torch.stack(parts, dim=1) for parts in zip(*steps, strict=True)))

    def choosing(self) -> list[nn.Module]:
        """Return the parts that a spatial transformer's gradient reaches through theta alone."""
        return [self.norm, self.key, self.query] if self.choice == "stn" else []

    def _choose(self, answers: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the centre of the next view, N×2, the choice's log probability and entropy, N."""
        nothing = answers.new_zeros(answers.size(0))
        if self.choice == "fixed":
            return self.starts[number].expand(len(answers), 2), nothing, nothing
        logs = torch.log_softmax(answers, dim=1)
        if self.choice == "stn":
            return logs.exp() @ self.cells, nothing, nothing
        if self.training:
            drawn = torch.multinomial(logs.detach().exp(), 1)
        else:
            drawn = logs.argmax(dim=1, keepdim=True)
        entropy = -(logs.exp() * logs).sum(dim=1)
        return self.cells[drawn[:, 0]], logs.gather(1, drawn)[:, 0], entropy

    def _look(self, images: Tensor, center: Tensor) -> Tensor:
        """Sample a view of 32×32 pixels about a centre, N×1×16×16."""
        theta = torch.zeros(len(center), 2, 3, dtype=center.dtype, device=center.device)
        theta[:, 0, 0] = theta[:, 1, 1] = VIEW_SHARE
        theta[:, :, 2] = center
        height, width = images.shape[2:]
        return sample(images, homography_grid(theta, VIEW_PX, VIEW_PX, height, width))
