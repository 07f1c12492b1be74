# SPDX-License-Identifier: Apache-2.0
"""Median, mean and 95th percentile of a sample, with intervals over its clusters.

Whole clusters are drawn with replacement, as many as there are, and the statistic is taken of
what they hold; the 2.5th and 97.5th percentile of 1,000 such draws are the interval (Efron and
Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 8; Davison and Hinkley 1997,
Bootstrap Methods, section 3.8 for clusters).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Interval = tuple[float, float]

RESAMPLES = 1000
# From the smallest to the largest of n clusters' medians covers the median with 1 - 2·(1/2)^n:
# with fewer than 6 no interval made of them can reach 95 %.
FEWEST_CLUSTERS = 6
_SEED = 20_150_605
# Numbers drawn at a time: bounds the memory, changes no result.
_BLOCK = 300_000
# Sorted values are searched in two steps: among this many stretches, then in one.
_STRETCHES = 64


@dataclass(frozen=True)
class Statistics:
    """What a sample of one metric says.

    Attributes:
        n: Samples.
        clusters: Groups of samples that hang together.
        median, mean, p95: None without samples.
        median_ci95, mean_ci95, p95_ci95: 95 % interval of each; None with fewer than 6 clusters.
        is_share: Whether samples are yes or no (1 or 0), so that the mean is what counts.
    """

    n: int = 0
    clusters: int = 0
    median: float | None = None
    mean: float | None = None
    p95: float | None = None
    median_ci95: Interval | None = None
    mean_ci95: Interval | None = None
    p95_ci95: Interval | None = None
    is_share: bool = False

    @property
    def ci95(self) -> Interval | None:
        """The interval of the median, or of the mean of a share."""
        return self.mean_ci95 if self.is_share else self.median_ci95


def statistics(values: Floats, clusters: Integers, is_share: bool = False) -> Statistics:
    """Return the statistics of the finite values.

    The same samples in the same order give the same bits.

    Args:
        values: N; those that are not finite are unknown and left out.
        clusters: N numbers of clusters.
        is_share: Whether values are 0 or 1.
    """
    known = np.isfinite(values)
    values = values[known]
    if not len(values):
        return Statistics(is_share=is_share)
    groups = np.unique(clusters[known], return_inverse=True)[1].reshape(-1)
    count = int(groups.max()) + 1
    median, p95 = np.percentile(values, [50, 95]).tolist()
    intervals: list[Interval | None] = [None, None, None]
    if count >= FEWEST_CLUSTERS:
        intervals = [*_intervals(values, groups, count)]
        if is_share and values.min() == values.max():
            intervals[2] = _interval_of_all(bool(values[0]), count)
    of_median, of_p95, of_mean = intervals
    return Statistics(
        n=len(values),
        clusters=count,
        median=median,
        mean=float(values.mean()),
        p95=p95,
        median_ci95=of_median,
        mean_ci95=of_mean,
        p95_ci95=of_p95,
        is_share=is_share,
    )


def resampled(values: Floats, groups: Integers, count: int) -> tuple[Floats, Floats, Floats]:
    """Return median, 95th percentile and mean of each resample, 1,000 figures each.

    A quantile is the smallest value that enough of the resample lies at or below.

    Args:
        values: N, finite.
        groups: N numbers of clusters, each of 0 to ``count`` - 1 at least once.
        count: Of the clusters.
    """
    order = np.argsort(values, kind="stable")
    search = _QuantileSearch(values[order], groups[order], count)
    sums, sizes = np.bincount(groups, values, count), np.bincount(groups, minlength=count)
    medians, highs, means = [], [], []
    for drawn in _draws(count):
        median, high = search.quantiles(drawn, (0.5, 0.95))
        medians.append(median)
        highs.append(high)
        # Not a matrix product: its order of summation may depend on the number of threads.
        means.append((drawn * sums).sum(axis=1) / (drawn * sizes).sum(axis=1))
    return np.concatenate(medians), np.concatenate(highs), np.concatenate(means)


def _intervals(values: Floats, groups: Integers, count: int) -> Iterator[Interval]:
    for figures in resampled(values, groups, count):
        low, high = np.percentile(figures, [2.5, 97.5]).tolist()
        yield low, high


def _interval_of_all(are_yes: bool, count: int) -> Interval:
    """95 % interval of a share when all of so many clusters say the same.

    What was never seen cannot be drawn: the exact interval of a binomial share takes the place of
    the bootstrap's, which would have no width (Clopper and Pearson 1934).
    """
    end = 0.025 ** (1 / count)
    return (end, 1.0) if are_yes else (0.0, 1.0 - end)


def _draws(count: int) -> Iterator[Floats]:
    """How often each of the clusters is in each resample, blocks of B×count."""
    rng = np.random.default_rng(_SEED)
    block = max(1, min(RESAMPLES, _BLOCK // count))
    for start in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - start)
        picked = rng.integers(0, count, (rows, count)) + np.arange(rows)[:, None] * count
        drawn = np.bincount(picked.ravel(), minlength=rows * count)
        yield drawn.reshape(rows, count).astype(np.float64)


class _QuantileSearch:
    """Quantiles of resampled clusters without sorting each resample.

    Args:
        values: N, sorted.
        groups: N numbers of clusters.
        count: Of the clusters.
    """

    def __init__(self, values: Floats, groups: Integers, count: int) -> None:
        self._values = values
        self._length = -(-len(values) // _STRETCHES)
        stretches = -(-len(values) // self._length)
        # Beyond the last value stands one cluster more, which is never drawn.
        self._groups = np.full(stretches * self._length, count)
        self._groups[: len(values)] = groups
        cell = groups * stretches + np.arange(len(values)) // self._length
        sizes = np.bincount(cell, minlength=count * stretches)
        self._sizes = sizes.reshape(count, stretches).astype(np.float64)

    def quantiles(self, drawn: Floats, shares: Sequence[float]) -> list[Floats]:
        """Return the quantiles of each resample, B each, for B×count draws.

        All sums are of whole numbers, so they are exact in any order.
        """
        rows = np.arange(len(drawn))
        in_stretch = drawn @ self._sizes
        reached = np.cumsum(in_stretch, axis=1)
        padded = np.pad(drawn, ((0, 0), (0, 1)))
        found = []
        for share in shares:
            needed = share * reached[:, -1]
            stretch = (reached >= needed[:, None]).argmax(axis=1)
            before = reached[rows, stretch] - in_stretch[rows, stretch]
            places = stretch[:, None] * self._length + np.arange(self._length)
            weights = padded[rows[:, None], self._groups[places]]
            within = before[:, None] + np.cumsum(weights, axis=1)
            first = (within >= needed[:, None]).argmax(axis=1)
            found.append(np.asarray(self._values[places[rows, first]]))
        return found
