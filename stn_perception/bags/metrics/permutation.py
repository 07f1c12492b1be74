# SPDX-License-Identifier: Apache-2.0
"""Whether a mean difference could be chance: sign flips of whole clusters.

If two models were alike, each cluster's differences might as well have had the other sign. The
p-value is the share of sign patterns that make the mean at least as far from zero as it is
(Fisher 1935, The Design of Experiments, section 21; Winkler et al. 2015, Multi-level block
permutation, doi:10.1016/j.neuroimage.2015.05.092, for whole blocks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FLIPS = 20_000
# Up to so many clusters, every pattern is tried.
_EXACT_CLUSTERS = 14
_SEED = 20_150_606
_BLOCK = 1000


def sign_flip_p(differences: Floats, clusters: Integers) -> float:
    """Return the two-sided p-value of the mean of N differences in clusters.

    Args:
        differences: N, finite.
        clusters: N numbers of clusters.

    Returns:
        From all 2^C patterns for up to 14 clusters, else from 20,000 drawn ones and the one that
        was seen: then at least 1/20,001. 1 where there is no difference.
    """
    groups = np.unique(clusters, return_inverse=True)[1].reshape(-1)
    sums = np.bincount(groups, differences)
    seen = abs(sums.sum())
    if not np.abs(sums).max(initial=0.0):
        return 1.0
    exact = len(sums) <= _EXACT_CLUSTERS
    patterns = _all_signs(len(sums)) if exact else _drawn_signs(len(sums))
    # A pattern that gives the same sum by another order of addition is as far.
    reached = seen - 1e-12 * np.abs(sums).sum()
    far = sum(int((np.abs(signs @ sums) >= reached).sum()) for signs in patterns)
    return far / 2 ** len(sums) if exact else (1 + far) / (1 + FLIPS)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for being several (Holm 1979), in the given order."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    corrected = [1.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(order):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected


def _all_signs(count: int) -> Iterator[Floats]:
    numbers = np.arange(2**count)[:, None]
    yield np.asarray(1.0 - 2.0 * ((numbers >> np.arange(count)) & 1), dtype=np.float64)


def _drawn_signs(count: int) -> Iterator[Floats]:
    rng = np.random.default_rng(_SEED)
    for _ in range(0, FLIPS, _BLOCK):
        yield np.asarray(1.0 - 2.0 * rng.integers(0, 2, (_BLOCK, count)), dtype=np.float64)
