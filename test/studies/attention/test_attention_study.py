# SPDX-License-Identifier: Apache-2.0
"""The rows cost the same, and what is committed is scored again."""

from torch import nn

from stn_perception.studies.attention.cost import million_operations
from stn_perception.studies.attention.study import FULL, AttentionStudy
from stn_perception.studies.learning.outcomes import RowOutcome


def test_operations_are_counted_as_products_and_sums() -> None:
    layers = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Flatten(), nn.Linear(2 * 72 * 72, 5))
    by_hand = 2 * (72 * 72 * 2 * 9) + 2 * (2 * 72 * 72 * 5)
    assert abs(million_operations(layers) * 1e6 - by_hand) < 1


def test_full_attention_costs_what_glimpses_cost() -> None:
    study = AttentionStudy()
    costs = [million_operations(study.network(row)) for row in study.rows]
    assert max(costs) / min(costs) < 1.02


def test_rows_without_weights_say_so() -> None:
    study = AttentionStudy()
    text = study.report({row: RowOutcome() for row in study.rows}, "stn study attention").text()
    assert f"| {FULL} | not yet run |" in text
