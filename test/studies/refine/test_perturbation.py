# SPDX-License-Identifier: Apache-2.0
"""First views lie where normal noise has put their corners."""

import math

import pytest
import torch

from stn_perception.stn import corners_from_theta
from stn_perception.studies.refine.perturbation import draw, draw_starts, held


def test_corners_move_by_an_eighth_of_the_side_together_and_each() -> None:
    theta = draw_starts(20_000, torch.Generator().manual_seed(0))
    square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    moved = corners_from_theta(theta) - square
    moved = moved[moved.isfinite().all(dim=2).all(dim=1)]
    assert len(moved) > 19_900  # hardly any folds
    together = moved.mean(dim=1)
    each = moved - together.unsqueeze(1)
    side = 2.0
    # The mean of four independent corners adds a quarter of their variance to the common one.
    assert float(together.std()) == pytest.approx(0.125 * side * math.sqrt(1.25), rel=0.02)
    assert float(each.std()) == pytest.approx(0.125 * side * math.sqrt(0.75), rel=0.02)


def test_a_split_is_always_perturbed_alike_and_training_is_not() -> None:
    first = held("validation").inputs[1].clone()
    held.cache_clear()
    assert torch.equal(first, held("validation").inputs[1])
    generator = torch.Generator().manual_seed(0)
    assert not torch.equal(draw(4, generator).inputs[1], draw(4, generator).inputs[1])
