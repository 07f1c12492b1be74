# SPDX-License-Identifier: Apache-2.0
"""Views find the object that they are of: by id, else by the overlap of the outlines."""

import itertools

import numpy as np
import pytest

from stn_perception.bags.truth import TrueObject, match_truths, regions_of


def square(x: float, y: float, side: float = 10.0) -> np.ndarray:
    return np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]])


def test_the_same_id_goes_before_the_overlap():
    truths = [TrueObject("a", "", square(0, 0)), TrueObject("b", "", square(100, 0))]
    views = np.array([square(100, 0), square(0, 0)])
    assert match_truths(views, ["a", "b"], truths) == [0, 1]
    assert match_truths(views, ["", ""], truths) == [1, 0]
    assert match_truths(views, ["a", ""], truths) == [0, None]


def test_an_id_that_comes_twice_says_nothing():
    truths = [TrueObject("a", "", square(0, 0)), TrueObject("b", "", square(100, 0))]
    views = np.array([square(100, 1), square(0, 1)])
    assert match_truths(views, ["a", "a"], truths) == [1, 0]
    same = [TrueObject("a", "", t.corners) for t in truths]
    assert match_truths(views, ["a", "b"], same) == [1, 0]


def test_little_overlap_is_no_match():
    truth = [TrueObject("", "", square(0, 0))]
    # Squares of side 10 that are d apart share (10 - d) / (10 + d) of their union.
    for distance, expected in ((5.3, 0), (5.5, None), (10, None), (50, None)):
        assert match_truths(square(distance, 0)[None], [""], truth) == [expected]


def test_the_order_of_a_view_s_corners_does_not_matter_for_its_match():
    truths = [TrueObject("", "", square(0, 0))]
    for turns in range(4):
        assert match_truths(np.roll(square(1, 1), turns, axis=0)[None], [""], truths) == [0]


def test_views_that_are_no_outline_are_matched_by_id_alone():
    truths = [TrueObject("a", "", square(0, 0))]
    for broken in (np.full((4, 2), np.nan), square(0, 0)[::-1]):
        assert match_truths(broken[None], [""], truths) == [None]
        assert match_truths(broken[None], ["a"], truths) == [0]


def test_no_views_or_no_truths_are_no_matches():
    assert match_truths(np.zeros((0, 4, 2)), [], [TrueObject("", "", square(0, 0))]) == []
    assert match_truths(square(0, 0)[None], ["a"], []) == [None]


@pytest.mark.parametrize("seed", range(20))
def test_pairs_add_up_to_the_greatest_overlap(seed):
    """Against every possible pairing, with overlaps of upright squares computed by hand."""
    rng = np.random.default_rng(seed)
    views = [square(*rng.uniform(0, 12, 2)) for _ in range(rng.integers(1, 5))]
    truths = [TrueObject("", "", square(*rng.uniform(0, 12, 2))) for _ in range(4)]

    def overlap(first: np.ndarray, second: np.ndarray) -> float:
        sides = np.minimum(first[2], second[2]) - np.maximum(first[0], second[0])
        shared = sides.prod() if (sides > 0).all() else 0.0
        share = shared / (200.0 - shared)
        return share if share >= 0.3 else 0.0

    table = np.array([[overlap(view, truth.corners) for truth in truths] for view in views])
    best = max(
        sum(table[row, column] for row, column in enumerate(columns))
        for columns in itertools.permutations(range(4), len(views))
    )
    matches = match_truths(np.array(views), [""] * len(views), truths)
    found = [(row, column) for row, column in enumerate(matches) if column is not None]
    assert len({column for _, column in found}) == len(found)
    assert all(table[pair] > 0 for pair in found)
    assert sum(table[pair] for pair in found) == pytest.approx(best)


def test_boxes_are_the_bounding_boxes_of_the_true_corners():
    diamond = np.array([[10, 0], [30, 10], [10, 40], [0, 10]], dtype=float)
    (region,) = regions_of([TrueObject("sign_1", "stop", diamond)])
    assert (region.id, region.class_id) == ("sign_1", "stop")
    np.testing.assert_array_equal(region.box.corners(), [[0, 0], [30, 0], [30, 40], [0, 40]])
    (grown,) = regions_of([TrueObject("sign_1", "stop", diamond)], margin=1.5)
    assert (grown.box.center_x, grown.box.center_y) == (15, 20)
    assert (grown.box.width, grown.box.height) == (45, 60)
    with pytest.raises(ValueError, match="margin is 0"):
        regions_of([], margin=0)


def test_a_true_object_is_of_four_finite_corners():
    with pytest.raises(ValueError, match="the corners of 'a' have shape"):
        TrueObject("a", "", np.zeros((3, 2)))
    with pytest.raises(ValueError, match="the corners of 'a' hold NaN"):
        TrueObject("a", "", np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="symmetry is 3"):
        TrueObject("a", "", square(0, 0), symmetry=3)
