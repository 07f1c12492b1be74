# SPDX-License-Identifier: Apache-2.0
"""How far views are off is measured from the digits' true places, in pixels."""

import torch
from torch import Tensor, nn

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.finding import median_miss_px
from stn_perception.studies.digits.clutter import clutter
from stn_perception.studies.digits.sets import DistortedSet


class Told(nn.Module):
    """Looks where it is told, in the order of the pictures."""

    def __init__(self, thetas: Tensor) -> None:
        super().__init__()
        self.thetas = nn.Parameter(thetas)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.thetas[: len(pictures)]


def cluttered() -> tuple[DistortedSet, Tensor]:
    images = torch.randint(0, 256, (200, 28, 28), dtype=torch.uint8)
    made = clutter(images, torch.Generator().manual_seed(0))
    assert made.source_from_upright is not None
    labels = torch.zeros(200, dtype=torch.int64)
    return DistortedSet(made, labels), made.source_from_upright[:, :2]


def missed_by(thetas: Tensor, digits: DistortedSet) -> float | None:
    transformer = SpatialTransformer(Told(thetas), (28, 28)).eval()
    with torch.no_grad():
        return median_miss_px(nn.Sequential(transformer), digits)


def test_a_constant_offset_is_no_miss() -> None:
    digits, truth = cluttered()
    offset = torch.tensor([0.1, -0.05])
    thetas = truth.clone()
    thetas[:, :, 2] += offset
    missed = missed_by(thetas, digits)
    assert missed is not None
    assert missed < 1e-3


def test_views_that_are_off_by_three_and_four_pixels_miss_by_five() -> None:
    digits, truth = cluttered()
    thetas = truth.clone()
    # As many each way, so that no constant offset explains it; 30 px are half a side.
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0, 0.0]).repeat(40).unsqueeze(1)
    thetas[:, :, 2] += signs * torch.tensor([3.0, 4.0]) / 30
    missed = missed_by(thetas, digits)
    assert missed is not None
    assert abs(missed - 5) < 1e-3


def test_a_network_without_a_transformer_looks_nowhere() -> None:
    assert median_miss_px(nn.Flatten(), cluttered()[0]) is None
