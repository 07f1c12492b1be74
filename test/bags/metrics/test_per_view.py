# SPDX-License-Identifier: Apache-2.0
"""The errors of single views have the values that pencil and paper give."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.bags.metrics import per_view_metrics, view_columns
from stn_perception.bags.metrics.quad_overlap import quad_overlaps
from stn_perception.geometry import (
    OrientedBox,
    convex_intersection,
    is_convex_clockwise,
    oriented_iou,
    polygon_area,
)

from .making import SQUARE, moved, view


def metrics_of(*records):
    return per_view_metrics(view_columns(records))


def turned(angle_rad, scale=1.0):
    center = SQUARE.mean(axis=0)
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return center + scale * (SQUARE - center) @ np.array([[cos, -sin], [sin, cos]]).T


def test_a_view_on_the_truth_has_no_error() -> None:
    found = metrics_of(view())
    for name in ("corner_error_px", "corner_error_of_side", "angle_error_deg", "scale_error"):
        assert found[name] == pytest.approx([0.0], abs=1e-12), name
    assert found["centre_error_px"] == pytest.approx([0.0])
    assert found["iou"] == pytest.approx([1.0], abs=1e-12)


def test_a_shift_of_three_and_four_pixels_is_an_error_of_five() -> None:
    found = metrics_of(view(corners=moved((3, 4))))
    assert found["corner_error_px"] == pytest.approx([5.0])
    assert found["corner_error_of_side"] == pytest.approx([0.05])
    assert found["centre_error_px"] == pytest.approx([5.0])
    assert found["angle_error_deg"] == pytest.approx([0.0], abs=1e-9)
    assert found["scale_error"] == pytest.approx([0.0], abs=1e-12)
    shared = 97 * 96
    assert found["iou"] == pytest.approx([shared / (2 * 10_000 - shared)])


def test_turn_and_scale_are_told_apart() -> None:
    found = metrics_of(view(corners=turned(math.radians(-12), 1.1)))
    assert found["angle_error_deg"] == pytest.approx([12.0])
    assert found["scale_error"] == pytest.approx([math.log(1.1)])
    assert found["centre_error_px"] == pytest.approx([0.0], abs=1e-9)


def test_only_allowed_quarter_turns_excuse_a_turned_view() -> None:
    quarter = np.roll(SQUARE, -1, axis=0)
    half = np.roll(SQUARE, -2, axis=0)
    strict, two, four, two_half = (
        metrics_of(view(corners=corners, symmetry=symmetry))
        for corners, symmetry in ((quarter, 1), (quarter, 2), (quarter, 4), (half, 2))
    )
    assert strict["corner_error_px"] == two["corner_error_px"] == pytest.approx([100.0])
    assert strict["angle_error_deg"] == pytest.approx([90.0])
    for excused in (four, two_half):
        assert excused["corner_error_px"] == pytest.approx([0.0])
        assert excused["angle_error_deg"] == pytest.approx([0.0], abs=1e-9)
        assert excused["iou"] == pytest.approx([1.0])


def test_an_eighth_turn_overlaps_in_an_octagon() -> None:
    # The regular octagon in a unit square has the area 2(√2 - 1).
    octagon = 2 * (math.sqrt(2) - 1)
    found = metrics_of(view(corners=turned(math.pi / 4)))
    assert found["iou"] == pytest.approx([octagon / (2 - octagon)])
    assert found["angle_error_deg"] == pytest.approx([45.0])


def test_without_truth_only_what_needs_none_is_known() -> None:
    found = metrics_of(view(truth=None, psnr_db=30.0, ssim=0.9, equivariance_error=0.01))
    for name in ("corner_error_px", "corner_error_of_side", "angle_error_deg", "iou"):
        assert np.isnan(found[name]).all(), name
    assert np.isnan(found["scale_error"]).all() and np.isnan(found["centre_error_px"]).all()
    assert (found["psnr_db"], found["ssim"], found["equivariance_error"]) == (30.0, 0.9, 0.01)
    assert found["valid_fraction"] == [1.0]


quads = st.lists(st.tuples(st.floats(-1.2, 1.2), st.floats(0.3, 1.0)), min_size=4, max_size=4).map(
    lambda parts: np.array(
        [
            (60 * r * math.cos(a + t), 60 * r * math.sin(a + t))
            for (a, r), t in zip(parts, np.deg2rad([225, 315, 45, 135]), strict=True)
        ]
    )
)


@given(quads, quads, st.floats(-150, 150), st.floats(0, 4000))
def test_overlap_of_many_is_that_of_the_clipped_polygons(first, second, across, away) -> None:
    first, second = first + away, second + away + (across, 0.3 * across)
    (found,) = quad_overlaps(first[None], second[None])
    if not (is_convex_clockwise(first) and is_convex_clockwise(second)):
        assert math.isnan(found)
        return
    shared = polygon_area(convex_intersection(first, second))
    expected = shared / (polygon_area(first) + polygon_area(second) - shared)
    assert found == pytest.approx(expected, abs=1e-6)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(20, 80), st.floats(20, 80))
def test_overlap_of_rectangles_is_that_of_oriented_boxes(first, second, width, height) -> None:
    boxes = OrientedBox(50, 60, width, 40, first), OrientedBox(55, 52, 45, height, second)
    (found,) = quad_overlaps(boxes[0].corners()[None], boxes[1].corners()[None])
    assert found == pytest.approx(oriented_iou(*boxes), abs=1e-9)


def test_a_folded_view_has_no_overlap_and_no_place_in_the_statistics() -> None:
    folded = SQUARE[[0, 2, 1, 3]]
    assert np.isnan(metrics_of(view(corners=folded))["iou"]).all()
