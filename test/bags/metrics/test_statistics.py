# SPDX-License-Identifier: Apache-2.0
"""Statistics are those of the whole sample, intervals those of drawn clusters."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.bags.metrics.clusters import cluster_numbers
from stn_perception.bags.metrics.statistics import _draws, resampled, statistics


def each_its_own(values):
    return np.arange(len(values))


def test_the_figures_are_numpys() -> None:
    values = np.random.default_rng(0).lognormal(size=501)
    found = statistics(values, each_its_own(values))
    assert (found.n, found.clusters) == (501, 501)
    assert found.median == pytest.approx(np.median(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.p95 == pytest.approx(np.percentile(values, 95))


def test_single_samples_as_clusters_give_the_ordinary_bootstrap() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400)
    found = statistics(values, each_its_own(values))
    for name, statistic in (("ci95", np.median), ("mean_ci95", np.mean)):
        other = scipy.stats.bootstrap(
            (values,), statistic, n_resamples=4000, method="percentile", rng=5
        ).confidence_interval
        width = other.high - other.low
        assert getattr(found, name) == pytest.approx((other.low, other.high), abs=0.12 * width)


def test_intervals_of_repeated_samples_are_as_wide_as_of_one_each() -> None:
    values = np.random.default_rng(4).normal(0, 1, 120)
    clusters = each_its_own(values)
    once = statistics(values, clusters)
    repeated = statistics(np.repeat(values, 25), np.repeat(clusters, 25))
    as_if_independent = statistics(np.repeat(values, 25), np.arange(3000))
    width = np.subtract(*repeated.mean_ci95)
    assert width == pytest.approx(np.subtract(*once.mean_ci95))
    assert abs(np.subtract(*as_if_independent.mean_ci95)) < 0.3 * abs(width)


def test_nineteen_of_twenty_intervals_hold_the_true_median() -> None:
    rng = np.random.default_rng(6)
    inside = 0
    for _ in range(200):
        # Clusters of ten with an offset of their own each: neighbouring frames are alike.
        values = (rng.normal(0, 1, (60, 1)) + rng.normal(0, 0.3, (60, 10))).ravel()
        low, high = statistics(values, np.repeat(np.arange(60), 10)).ci95
        inside += low <= 0 <= high
    assert 180 <= inside <= 199


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(-50, 50)), min_size=1, max_size=60),
    st.sampled_from([0.5, 0.95]),
)
def test_a_resamples_quantile_is_that_of_its_sorted_values(pairs, share) -> None:
    groups = np.unique([g for g, _ in pairs], return_inverse=True)[1]
    values = np.array([v for _, v in pairs], dtype=np.float64)
    count = int(groups.max()) + 1
    found = resampled(values, groups, count)[0 if share == 0.5 else 1]
    drawn = next(_draws(count))
    for row in range(0, len(drawn), 17):
        held = np.sort(np.repeat(values, drawn[row].astype(int)[groups]))
        assert found[row] == np.quantile(held, share, method="inverted_cdf")


def test_long_samples_are_searched_as_exactly_as_short_ones() -> None:
    rng = np.random.default_rng(8)
    values, groups = rng.normal(size=5000).round(2), rng.permutation(np.arange(5000) % 40)
    drawn = next(_draws(40))[3].astype(int)
    held = np.sort(np.repeat(values, drawn[groups]))
    median, p95, mean = (figures[3] for figures in resampled(values, groups, 40))
    assert median == np.quantile(held, 0.5, method="inverted_cdf")
    assert p95 == np.quantile(held, 0.95, method="inverted_cdf")
    assert mean == pytest.approx(held.mean())


def test_five_clusters_allow_no_interval() -> None:
    values = np.arange(50.0)
    assert statistics(values, np.arange(50) % 5).ci95 is None
    assert statistics(values, np.arange(50) % 6).ci95 is not None


def test_unknown_values_are_left_out() -> None:
    values = np.array([1.0, np.nan, 3.0, np.inf])
    found = statistics(values, np.arange(4))
    assert (found.n, found.median) == (2, 2.0)
    nothing = statistics(np.array([np.nan]), np.array([0]))
    assert (nothing.n, nothing.median, nothing.ci95) == (0, None, None)


def test_the_interval_of_a_share_is_that_of_its_mean() -> None:
    values = (np.arange(200) % 10 > 0).astype(np.float64)
    found = statistics(values, each_its_own(values), is_share=True)
    assert found.mean == pytest.approx(0.9)
    assert found.ci95 == found.mean_ci95
    assert 0.8 < found.ci95[0] < 0.9 < found.ci95[1] < 1.0


@pytest.mark.parametrize("all_are", [0.0, 1.0])
def test_what_was_never_seen_may_still_happen(all_are) -> None:
    found = statistics(np.full(140, all_are), np.arange(140) % 14, is_share=True)
    exact = scipy.stats.binomtest(round(14 * all_are), 14).proportion_ci(0.95, "exact")
    assert found.mean == all_are
    assert found.ci95 == pytest.approx((exact.low, exact.high))


def test_a_cluster_is_one_second_of_one_object() -> None:
    stamps = np.array([5_000_000_000, 5_900_000_000, 6_000_000_000, 5_100_000_000])
    things = np.array(["a", "a", "a", "b"])
    numbers = cluster_numbers(stamps, things)
    assert numbers[0] == numbers[1]
    assert len(set(numbers.tolist())) == 3
