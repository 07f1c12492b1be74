# SPDX-License-Identifier: Apache-2.0
"""A comparison of models pairs their views, measures the difference and judges chance."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.bags.metrics import compared, evaluation_json
from stn_perception.bags.metrics.permutation import holm, sign_flip_p

from .making import SQUARE, evaluation, moved, trembling, view


def both(seconds=20, better_px=0.5, worse_px=2.0, **changes):
    first = trembling(seconds, worse_px, seed=1, **changes)
    return first + trembling(seconds, better_px, seed=2, model="other", **changes)


def of_two(views, labels=("planar", "other")):
    (found,) = compared(evaluation(views, labels=labels))
    return found


def test_a_better_model_is_named_with_what_it_gains() -> None:
    found = of_two(both())
    assert found.better == "other"
    assert found.difference.n == 400
    # The mean length of a normal error in the plane is √(π/2) σ; the side is 100 px.
    expected = np.sqrt(np.pi / 2) * (0.5 - 2.0) / 100
    assert found.difference.mean == pytest.approx(expected, rel=0.05)
    assert found.p < 0.001
    assert found.verdict.startswith("other is better than planar: its corner error is smaller by")
    low, high = found.difference.mean_ci95
    assert f"95 % interval {-100 * high:.3g} % to {-100 * low:.3g} %" in found.verdict
    assert f"400 paired views in {found.difference.clusters} clusters" in found.verdict


def test_the_order_of_the_models_does_not_change_the_answer() -> None:
    views = both()
    forward, backward = of_two(views), of_two(views, labels=("other", "planar"))
    assert forward.better == backward.better == "other"
    assert forward.p == backward.p
    assert forward.difference.mean == -backward.difference.mean
    assert forward.verdict == backward.verdict


def test_two_equally_good_models_cannot_be_told_apart() -> None:
    found = of_two(both(better_px=1.0, worse_px=1.0))
    assert found.better is None
    assert found.p > 0.05
    assert "cannot be told apart" in found.verdict and "could be chance" in found.verdict


def test_a_model_against_itself_is_no_difference() -> None:
    found = of_two(trembling() + trembling(model="other"))
    assert (found.p, found.better, found.difference.mean) == (1.0, None, 0.0)
    assert "have the same corner error" in found.verdict


def test_few_seconds_cannot_prove_anything() -> None:
    found = of_two(both(seconds=3))
    assert found.difference.clusters <= 4
    assert found.better is None
    assert "too few clusters for an interval" in found.verdict


def test_views_of_one_model_alone_are_counted_and_left_out() -> None:
    views = [v for v in both() if v.model == "planar" or v.frame % 4]
    extra = view(3, moved((300, 0)), model="other", box=np.array([450.0, 100, 9, 9, 0]))
    found = of_two([*views, extra])
    assert (found.difference.n, found.only_first, found.only_second) == (300, 100, 1)
    assert "Left out: 100 views only planar has, 1 view only other has." in found.verdict


def test_boxes_without_an_id_are_paired_by_their_place() -> None:
    places = [np.array([150.0 + 300 * k, 100, 120, 120, 0]) for k in range(2)]
    views = [
        view(f, moved((300 * k + error, 0)), moved((300 * k, 0)), object_id="", box=places[k])
        for f in range(200)
        for k, error in ((1, 1.0), (0, 2.0))
    ]
    other = [
        view(
            f, moved((300 * k, 0)), moved((300 * k, 0)), object_id="", box=places[k], model="other"
        )
        for f in range(200)
        for k in range(2)
    ]
    found = of_two(views + other)
    assert (found.difference.n, found.only_first) == (400, 0)
    assert found.difference.mean == pytest.approx(-0.015)


def test_a_model_that_knows_no_upright_wins_nothing_by_that() -> None:
    upside_down = np.roll(SQUARE, 2, axis=0)
    strict = [view(f, upside_down if f % 5 == 0 else SQUARE) for f in range(200)]
    lenient = [
        view(f, moved((0.5, 0), np.roll(SQUARE, f % 4, axis=0)), model="other", symmetry=4)
        for f in range(200)
    ]
    for labels in (("planar", "other"), ("other", "planar")):
        found = of_two(strict + lenient, labels)
        assert found.better == "planar"
        assert abs(found.difference.mean) == pytest.approx(0.005)
        assert (found.lenient, found.symmetry) == ("other", 4)
        assert "Quarter turns, which other leaves open, are forgiven to both." in found.verdict


def test_turns_that_both_leave_open_are_not_spoken_of() -> None:
    found = of_two(both(symmetry=2))
    assert found.lenient == "" and "turns" not in found.verdict


def test_without_truth_steadiness_is_compared() -> None:
    found = compared(
        evaluation(
            [
                *both(truth=None, equivariance_error=0.02),
            ],
            labels=("planar", "other"),
        )
    )
    assert [one.metric for one in found] == ["jitter_of_side", "equivariance_error"]
    assert [one.better for one in found] == ["other", None]
    assert "its jitter while still is smaller by" in found[0].verdict
    assert "corrected for 2 comparisons" in found[0].verdict


def test_three_models_are_three_comparisons_in_the_json() -> None:
    views = both() + trembling(20, 1.0, seed=3, model="third")
    found = evaluation_json(evaluation(views, labels=("planar", "other", "third")))
    assert [(c["first"], c["second"]) for c in found["comparison"]] == [
        ("planar", "other"),
        ("planar", "third"),
        ("other", "third"),
    ]
    for one in found["comparison"]:
        assert one["p_holm"] >= one["p"]
        assert one["mean_ci95"][0] < one["mean_difference"] < one["mean_ci95"][1]
        assert one["better"] in one["verdict"]


def test_one_model_is_compared_with_nothing() -> None:
    assert compared(evaluation(trembling())) == ()


@given(st.lists(st.integers(-20, 20), min_size=2, max_size=9))
def test_with_few_clusters_the_p_value_is_exact(differences) -> None:
    values = np.array(differences, dtype=np.float64)
    signs = itertools.product((-1, 1), repeat=len(values))
    means = [abs(np.dot(pattern, values)) for pattern in signs]
    expected = np.mean([mean >= abs(values.sum()) for mean in means])
    assert sign_flip_p(values, np.arange(len(values))) == pytest.approx(expected)


def test_with_many_clusters_the_p_value_is_scipys() -> None:
    values = np.random.default_rng(12).normal(0.25, 1, 60)
    other = scipy.stats.permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=20_000, rng=3
    )
    assert sign_flip_p(values, np.arange(60)) == pytest.approx(other.pvalue, abs=0.01)


def test_frames_of_one_cluster_are_flipped_together() -> None:
    values = np.random.default_rng(13).normal(0.3, 1, 12)
    once = sign_flip_p(values, np.arange(12))
    assert sign_flip_p(np.repeat(values, 30), np.repeat(np.arange(12), 30)) == once


def test_equal_models_are_found_different_one_time_in_twenty() -> None:
    rng = np.random.default_rng(14)
    p_values = [sign_flip_p(rng.normal(size=12), np.arange(12)) for _ in range(400)]
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.09


def test_holms_correction_is_the_textbooks() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_difference_of_another_scale_stays_what_it_is() -> None:
    twice = both(seconds=8)
    halves = [
        view(v.frame, v.corners / 2, SQUARE / 2, model=v.model, box=v.box / 2) for v in twice
    ]
    assert of_two(halves).difference.mean == pytest.approx(of_two(twice).difference.mean)
