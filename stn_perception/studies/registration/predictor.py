# SPDX-License-Identifier: Apache-2.0
"""A network that looks at both pictures once and says where the optimisation should start.

It is an unsupervised spatial transformer learnt over many pairs (de Vos et al. 2017, "End-to-End
Unsupervised Deformable Image Registration with a Convolutional Neural Network"), with several
guesses instead of one: similarity of pictures says nothing about a turn that is far off, but one
of twelve guesses is near every turn, and which one is what the network learns.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from stn_perception.stn import SimilarityFamily, conv_block
from stn_perception.studies.registration.levels import Level

# The level of a pair that it looks at, in pixels of the picture.
LOOK_FACTOR = 4
GUESSES = 12
_WIDTHS = (16, 32, 64)
_POOLED = 4


class StartPredictor(nn.Module):
    """N×2×s×s, view and source, to N×12 guesses of a similarity and how likely each is.

    `forward` returns raw numbers of the similarity family, N×12×4, and logits, N×12.
    """

    def __init__(self) -> None:
        super().__init__()
        blocks = zip((2, *_WIDTHS[:-1]), _WIDTHS, strict=True)
        self.features = nn.Sequential(
            *(conv_block(before, after) for before, after in blocks),
            nn.AdaptiveAvgPool2d(_POOLED),
            nn.Flatten(),
            nn.Linear(_WIDTHS[-1] * _POOLED**2, 96),
            nn.ReLU(),
        )
        # Each guess has a logit, a turn about its own, a shift and a scale.
        self.last = nn.Linear(96, 5 * GUESSES)
        with torch.no_grad():
            self.last.weight.mul_(0.1)
            self.last.bias.zero_()

    def forward(self, pairs: Tensor) -> tuple[Tensor, Tensor]:
        """Return the guesses and their logits."""
        numbers = self.last(self.features(pairs)).view(-1, GUESSES, 5)
        turns = torch.arange(GUESSES, device=pairs.device) * (2 * math.pi / GUESSES)
        angle = turns + 0.5 * numbers[..., 1].tanh()
        shift, log_scale = 0.5 * numbers[..., 2:4].tanh(), 0.5 * numbers[..., 4].tanh()
        return similarity_raw(shift, angle, log_scale), numbers[..., 0]


def similarity_raw(shift: Tensor, angle_rad: Tensor, log_scale: Tensor) -> Tensor:
    """Return the similarity family's raw numbers, …×4; half a turn is beyond what it can say.

    Args:
        shift: …×2, normalised axes, within ±1.
        angle_rad: Any.
        log_scale: Natural logarithm, within that of the family's limit.
    """
    family = SimilarityFamily()
    wrapped = torch.remainder(angle_rad + math.pi, 2 * math.pi) - math.pi
    parts = [
        (shift, family.translation),
        (wrapped.unsqueeze(-1), family.angle),
        (log_scale.unsqueeze(-1), family.log_scale),
    ]
    return torch.cat([_unlimited(value, limit) for value, limit in parts], dim=-1)


def predicted_starts(network: StartPredictor, level: Level, count: int) -> Tensor:
    """Return the likeliest guesses for a pair, the likeliest first, count×4 float64.

    Args:
        network: Trained, in evaluation mode.
        level: The pair at `LOOK_FACTOR`.
        count: At most 12.
    """
    with torch.no_grad():
        guesses, logits = network(standardized(torch.cat([level.view, level.source], dim=1)))
    likeliest: Tensor = guesses[0, logits[0].topk(count).indices].double()
    return likeliest


def standardized(pairs: Tensor) -> Tensor:
    """Return pictures, N×C×h×w, each at mean 0 and deviation 1, float32."""
    deviation, mean = torch.std_mean(pairs, dim=(2, 3), keepdim=True)
    return ((pairs - mean) / (deviation + 1e-3)).float()


def _unlimited(value: Tensor, limit: float) -> Tensor:
    """Undo the family's soft limit; what is nearer to it than 1 % is drawn back."""
    raw: Tensor = limit * torch.atanh((value / limit).clamp(-0.99, 0.99))
    return raw
