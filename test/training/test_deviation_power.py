# SPDX-License-Identifier: Apache-2.0
"""How the power of predicted deviations is fitted."""

import numpy as np
import pytest

from stn_perception.training.deviation_power import deviation_power


@pytest.mark.parametrize("power", [0.8, 1.0, 1.3])
def test_the_power_of_drawn_errors_is_found(power: float) -> None:
    rng = np.random.default_rng(1)
    sigmas = np.exp(rng.uniform(np.log(0.1), np.log(3), (4000, 8)))
    errors = np.abs(rng.normal(0, 1.7 * sigmas**power))
    assert deviation_power(errors, sigmas) == pytest.approx(power, abs=0.03)


def test_the_unit_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    sigmas = np.exp(rng.normal(0, 1, 3000))
    errors = np.abs(rng.normal(0, sigmas**1.2))
    assert deviation_power(64 * errors, 64 * sigmas) == pytest.approx(
        deviation_power(errors, sigmas), abs=1e-9
    )


def test_one_deviation_for_all_is_left_alone() -> None:
    assert deviation_power(np.random.default_rng(3).random(100), np.ones(100)) == 1.0


def test_deviations_that_predict_nothing_stay_within_bounds() -> None:
    rng = np.random.default_rng(4)
    assert deviation_power(rng.random(1000), np.exp(rng.normal(0, 1, 1000))) == 0.5


def test_too_few_errors_are_refused_with_their_number() -> None:
    with pytest.raises(ValueError, match="got 3 errors, expected at least 10"):
        deviation_power(np.ones(3), np.ones(3))
