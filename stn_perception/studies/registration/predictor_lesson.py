# SPDX-License-Identifier: Apache-2.0
"""What the predictor learns from: pairs made of the slice, and nothing but how alike they look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from stn_perception.stn import SimilarityFamily, sample, sampling_grid
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.registration.levels import pair_levels
from stn_perception.studies.registration.predictor import (
    GUESSES,
    LOOK_FACTOR,
    similarity_raw,
    standardized,
)
from stn_perception.studies.registration.slices import FIXED, PACKAGE, read_slice

# As far as made pairs may be apart, and any turn; normalised axes of the padded square.
_SHIFT, _LOG_SCALE = 0.15, 0.25
# Both pictures are moved, or the network would learn one of them by heart.
_OWN_SHIFT, _OWN_ANGLE_RAD, _OWN_LOG_SCALE = 0.06, math.radians(20), 0.1
_NOISE = 1.0
# Of the softmax over 1 - correlation: a wrong turn costs 0.1 to 0.3.
_SHARPNESS = 0.02
_VALIDATION_SEED, _VALIDATION_COUNT = 7, 500


@dataclass(eq=False)
class PredictorLesson:
    """How alike the pictures of a pair become by each guess: which one is to be called likely.

    Attributes:
        network: A `StartPredictor`.
        localization: None of it; the whole network is one.
    """

    network: nn.Module
    localization: Sequence[nn.Module] = ()

    def batch(self, count: int, generator: torch.Generator) -> Tensor:
        """Return N×2×s×s, views and sources; no truth comes with them."""
        return _pairs(count, generator)[0]

    def loss(self, network: nn.Module, batch: Tensor) -> Tensor:
        """Return the cross-entropy of the alikest guess, and the unlikeness of those near it."""
        guesses, logits = network(batch)
        unlike = _unlikeness(batch, guesses)
        alikest = (-unlike.detach() / _SHARPNESS).softmax(dim=1)
        chosen = nn.functional.cross_entropy(logits, alikest)
        return chosen + 10 * (alikest * unlike).sum(dim=1).mean()

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return how far the likeliest guesses turn past the truth, which only this looks at."""
        generator = torch.Generator().manual_seed(_VALIDATION_SEED)
        pairs, angles = _pairs(_VALIDATION_COUNT, generator)
        guesses, logits = network(pairs.to(device_of(network)))
        chosen = logits.argmax(dim=1).cpu()
        found = guesses.cpu()[torch.arange(len(chosen)), chosen]
        theta = SimilarityFamily()(found)
        angle = torch.atan2(theta[:, 1, 0], theta[:, 0, 0])
        off_deg = torch.rad2deg(torch.remainder(angle - angles + math.pi, 2 * math.pi) - math.pi)
        return {
            "median_deg": off_deg.abs().median().item(),
            "within_20_deg": (off_deg.abs() < 20).float().mean().item(),
        }


def _pairs(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Pairs N×2×s×s, and the turn of source_from_view, N in rad."""
    slice_ = _slice().expand(count, 1, -1, -1)
    view = _drawn(count, _OWN_SHIFT, _OWN_ANGLE_RAD, _OWN_LOG_SCALE, generator)
    source = _drawn(count, _SHIFT, math.pi, _LOG_SCALE, generator)
    pictures = []
    for theta in (view, source):
        side = slice_.size(3) // 2
        grid = sampling_grid(theta, side, side, slice_.size(2), slice_.size(3))
        picture = sample(slice_, grid, padding="border", mip_levels=1)
        noise = torch.randn(picture.shape, generator=generator)
        pictures.append(picture + _NOISE * noise)
    angle = [torch.atan2(theta[:, 1, 0], theta[:, 0, 0]) for theta in (view, source)]
    return standardized(torch.cat(pictures, dim=1)), angle[0] - angle[1]


def _drawn(
    count: int, shift: float, angle_rad: float, log_scale: float, generator: torch.Generator
) -> Tensor:
    """Similarities drawn evenly from ± the limits, N×2×3."""
    even = 2 * torch.rand(count, 4, generator=generator) - 1
    raw = similarity_raw(shift * even[:, :2], angle_rad * even[:, 2], log_scale * even[:, 3])
    theta: Tensor = SimilarityFamily()(raw)
    return theta


def _unlikeness(pairs: Tensor, guesses: Tensor) -> Tensor:
    """1 - correlation of the views and the sources under each guess, N×12."""
    theta = SimilarityFamily()(guesses.flatten(0, 1))
    halved = nn.functional.avg_pool2d(pairs, 2)
    halved = halved.repeat_interleave(GUESSES, dim=0)
    wanted, source = halved[:, :1], halved[:, 1:]
    side = halved.size(2)
    grid = sampling_grid(theta, side, side, side, side)
    seen = sample(source, grid, padding="border", theta_only=True)
    alike = nn.functional.cosine_similarity(
        standardized(seen).flatten(1), standardized(wanted).flatten(1)
    )
    return 1 - alike.view(-1, GUESSES)


@lru_cache(maxsize=1)
def _slice() -> Tensor:
    """The fixed slice on its padded square at twice the resolution that is looked at, 1×1×s×s."""
    slice_ = read_slice(package_files(PACKAGE), FIXED)
    (level,) = pair_levels(slice_, slice_, 0.0, (LOOK_FACTOR // 2,))
    return level.view.float()
