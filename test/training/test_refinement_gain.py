# SPDX-License-Identifier: Apache-2.0
"""Which refinement step is the last that pays, on errors whose answer is known."""

import numpy as np
import pytest

from stn_perception.training.refinement_gain import steps_that_pay


def errors_after(factors: list[float], count: int = 1500) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(0)
    hard = rng.gamma(2.0, 1.0, count)
    return {
        step: hard * factor * np.exp(rng.normal(0, 0.3, count))
        for step, factor in enumerate(factors)
    }


@pytest.mark.parametrize(
    ("factors", "steps"),
    [
        ([1.0, 0.7, 0.6, 0.62], 2),
        ([1.0, 0.7, 0.75, 0.5], 1),  # a step that does not pay ends the search
        ([1.0, 1.05, 0.9], 0),
        ([1.0, 1.2, 1.2], 0),
        ([1.0, 0.8, 0.7, 0.6], 3),
    ],
)
def test_the_last_step_that_pays_is_found(factors: list[float], steps: int) -> None:
    found = steps_that_pay(errors_after(factors), "drawn samples", "px", seed=1)
    assert found["steps"] == steps
    assert [gain["pays"] for gain in found["gains"]][:steps] == [True] * steps


def test_pairing_finds_a_gain_that_is_small_beside_the_samples_spread() -> None:
    before = errors_after([1.0], 400)[0]
    found = steps_that_pay({0: before, 1: before - 0.02}, "pairs", "px", seed=1)
    assert found["steps"] == 1
    gain = found["gains"][0]["mean"]
    assert gain["value"] == pytest.approx(0.02)
    assert before.std() / np.sqrt(400) > 0.02  # unpaired, it would be lost


def test_a_better_median_does_not_pay_for_a_worse_mean() -> None:
    before = errors_after([1.0])[0]
    after = before * 0.9
    after[before > np.percentile(before, 95)] *= 4
    assert steps_that_pay({0: before, 1: after}, "tails", "px", seed=1)["steps"] == 0


def test_the_sentence_says_what_was_gained_and_what_one_more_would() -> None:
    found = steps_that_pay(errors_after([1.0, 0.7, 0.75]), "held-out scenes", "px", seed=1)
    text = found["sentence"]
    assert text.startswith(
        "On held-out scenes (n = 1500), one refinement step pays: step 1 lowers"
    )
    assert "step 2 would lower the mean error by" in text
    assert text.count(" to ") == 4
    all_pay = steps_that_pay(errors_after([1.0, 0.7]), "scenes", "px", seed=1)
    assert all_pay["sentence"].endswith("more were not tried.")


@pytest.mark.parametrize("steps", [[0], [0, 2], [1, 2]])
def test_missing_steps_are_refused(steps: list[int]) -> None:
    with pytest.raises(ValueError, match="without gaps"):
        steps_that_pay({step: np.ones(5) for step in steps}, "d", "px", seed=0)


def test_errors_without_end_are_refused() -> None:
    with pytest.raises(ValueError, match="finite errors"):
        steps_that_pay({0: np.ones(3), 1: np.array([1, np.nan, 1])}, "d", "px", seed=0)
