# SPDX-License-Identifier: Apache-2.0
"""The reliability diagram: honest deviations lie on the diagonal, dishonest ones do not."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from stn_perception.training.reliability import normal_share, reliability, reliability_svg


def drawn(factor: float, count: int = 4000) -> dict:
    rng = np.random.default_rng(3)
    sigma = np.exp(rng.uniform(-2, 2, (count, 8)))
    return reliability(sigma, rng.normal(0, sigma * factor), "drawn", "px", seed=1)


def test_honest_deviations_lie_on_the_diagonal() -> None:
    result = drawn(1.0)
    assert len(result["bins"]) == 10
    for row in result["bins"]:
        assert row["count"] == 3200
        assert row["low"] <= row["measured"] <= row["high"]
        assert row["measured"] == pytest.approx(row["predicted"], rel=0.06)
        assert row["rms"] == pytest.approx(row["predicted"], rel=0.06)
        assert row["within_1_sigma"] == pytest.approx(normal_share(1), abs=0.03)
    assert result["calibration_error"] < 0.04
    for row in result["within"]:
        assert row["share"]["low"] - 0.01 <= row["expected"] <= row["share"]["high"] + 0.01
    assert json.loads(json.dumps(result)) == result


def test_deviations_half_as_large_as_the_errors_are_found_out() -> None:
    result = drawn(2.0)
    assert result["calibration_error"] == pytest.approx(1.0, abs=0.08)
    one = next(row for row in result["within"] if row["sigmas"] == 1)
    assert one["share"]["value"] == pytest.approx(normal_share(0.5), abs=0.01)
    assert one["share"]["high"] < one["expected"]


def test_the_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for trial in range(60):
        rng = np.random.default_rng([5, trial])
        # The 8 errors of one sample are one number: only whole-sample resampling is wide enough.
        error = np.repeat(rng.normal(0, 1, (200, 1)), 8, axis=1)
        result = reliability(np.ones((200, 8)), error, "one", "px", seed=trial)
        share = result["within"][1]["share"]
        held += share["low"] <= normal_share(1) <= share["high"]
    assert held >= 52


def test_one_deviation_a_sample_is_enough() -> None:
    rng = np.random.default_rng(4)
    result = reliability(np.full(40, 2.0), rng.normal(0, 2, 40), "angles", "°", seed=0)
    assert [row["count"] for row in result["bins"]] == [10] * 4
    assert result["samples"] == 40


@pytest.mark.parametrize(
    ("sigma", "error", "words"),
    [
        (np.ones((4, 8)), np.ones((4, 2)), "expected the same N or N×K"),
        (np.ones((1, 8)), np.ones((1, 8)), "there are 1 samples"),
        (np.zeros((4, 8)), np.ones((4, 8)), "deviations above 0"),
        (np.ones((4, 8)), np.full((4, 8), np.nan), "finite errors"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    sigma: np.ndarray, error: np.ndarray, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        reliability(sigma, error, "wrong", "px", seed=0)


def test_the_diagram_shows_every_bin_and_every_share() -> None:
    results = [drawn(1.0), drawn(2.0) | {"data": "sure <of> itself"}]
    root = ElementTree.fromstring(reliability_svg(results))
    circles = list(root.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == 2 * (10 + 5) + 2  # bins and shares, and the legend's
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "sure <of> itself (n = 4000)" in texts
    with pytest.raises(ValueError, match="no reliability"):
        reliability_svg([])
