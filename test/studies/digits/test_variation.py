# SPDX-License-Identifier: Apache-2.0
"""Varied digits stay digits: bent by a little, in place, in their own type."""

import torch

from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.digits.variation import varied


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_without_noise_a_digit_stays_as_it_is() -> None:
    images = upright_digits("validation").images[:50]
    assert (varied(images, seeded(), noise_px=0.0).int() - images.int()).abs().max() <= 1


def test_ink_moves_by_about_the_noise() -> None:
    spot = torch.zeros(500, 28, 28, dtype=torch.uint8)
    spot[:, 12:16, 12:16] = 200
    bent = varied(spot, seeded(), noise_px=0.8).float()
    axis = torch.arange(28.0) - 13.5
    x_px = (bent * axis).sum(dim=(1, 2)) / bent.sum(dim=(1, 2))
    assert 0.3 < float(x_px.std()) < 1.0
    assert float(x_px.mean().abs()) < 0.15
