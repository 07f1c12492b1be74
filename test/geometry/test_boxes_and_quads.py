# SPDX-License-Identifier: Apache-2.0
"""Claims about boxes, crops and quads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry import (
    AffineParts,
    AxisAlignedBox,
    InvalidTransformError,
    OrientedBox,
    corner_error_px,
    corner_errors_px,
    decompose_affine,
    frame_from_crop,
    homography_from_corners,
    is_convex_clockwise,
    oriented_box_of_view,
    oriented_iou,
    polygon_area,
    quad_center,
    quad_centers,
    quad_side_px,
    recompose_affine,
    transform_points,
    turn_view,
    view_corners,
    view_quad,
)

SIDE = st.floats(1, 500)
PLACE = st.floats(-300, 900)
BOXES = st.builds(OrientedBox, PLACE, PLACE, SIDE, SIDE, st.floats(-3.1, 3.1))


def test_a_turned_box_turns_x_towards_y_and_keeps_its_corner_order() -> None:
    corners = OrientedBox(10, 20, 4, 2, np.pi / 2).corners()
    # Its own top-left, seen by a viewer whose right is image-down, lies at the image's top right.
    np.testing.assert_allclose(corners, [[11, 18], [11, 22], [9, 22], [9, 18]], atol=1e-12)


@settings(deadline=None, max_examples=100)
@given(BOXES)
def test_a_box_comes_back_from_its_corners(box: OrientedBox) -> None:
    assert is_convex_clockwise(box.corners())
    assert polygon_area(box.corners()) == pytest.approx(box.area, rel=1e-9)
    found = OrientedBox.from_corners(box.corners())
    np.testing.assert_allclose(
        [*vars(found).values()][:4], [*vars(box).values()][:4], rtol=1e-9, atol=1e-9
    )
    assert np.cos(found.angle_rad - box.angle_rad) == pytest.approx(1)


@settings(deadline=None, max_examples=100)
@given(BOXES)
def test_box_corners_are_those_of_opencv(box: OrientedBox) -> None:
    points = cv2.boxPoints(
        ((box.center_x, box.center_y), (box.width, box.height), np.degrees(box.angle_rad))
    )
    # OpenCV starts at its bottom-left and goes clockwise: bottom-left, top-left, ...
    np.testing.assert_allclose(np.roll(points, -1, axis=0), box.corners(), atol=2e-3)


def test_the_upright_box_bounds_its_points() -> None:
    box = AxisAlignedBox.from_corners([[1, 5], [4, 2], [2, 9]])
    assert box == AxisAlignedBox(2.5, 5.5, 3, 7)
    np.testing.assert_allclose(box.corners(), [[1, 2], [4, 2], [4, 9], [1, 9]])


@settings(deadline=None, max_examples=100)
@given(BOXES, BOXES)
def test_overlap_agrees_with_counting_points(first: OrientedBox, second: OrientedBox) -> None:
    axis = (np.arange(200) + 0.5) / 200
    x, y = np.meshgrid(axis, axis)
    corners = first.corners()
    points = corners[0] + x[..., None] * (corners[1] - corners[0])
    points = points + y[..., None] * (corners[3] - corners[0]) - [second.center_x, second.center_y]
    cos, sin = np.cos(second.angle_rad), np.sin(second.angle_rad)
    along, across = points @ [cos, sin], points @ [-sin, cos]
    inside = (abs(along) <= second.width / 2) & (abs(across) <= second.height / 2)
    area = inside.mean() * first.area
    expected = area / (first.area + second.area - area)
    iou = oriented_iou(first, second)
    assert iou == pytest.approx(oriented_iou(second, first), abs=1e-9)
    assert iou == pytest.approx(expected, abs=0.02)


@settings(deadline=None, max_examples=50)
@given(BOXES)
def test_a_box_overlaps_itself_wholly_and_half_of_itself_by_half(box: OrientedBox) -> None:
    assert oriented_iou(box, box) == pytest.approx(1, abs=1e-9)
    half = OrientedBox(box.center_x, box.center_y, box.width, box.height / 2, box.angle_rad)
    assert oriented_iou(box, half) == pytest.approx(0.5, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(BOXES, st.floats(0.5, 3))
def test_a_stretched_crop_shows_exactly_the_box_times_its_margin(
    box: OrientedBox, margin: float
) -> None:
    matrix = frame_from_crop(box, margin, 64, 48, "stretch")
    grown = OrientedBox(
        box.center_x, box.center_y, box.width * margin, box.height * margin, box.angle_rad
    )
    np.testing.assert_allclose(view_quad(matrix, 64, 48), grown.corners(), atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(BOXES)
def test_a_square_crop_keeps_pixels_square_and_holds_the_box(box: OrientedBox) -> None:
    matrix = frame_from_crop(box, 1.2, 64, 48, "square")
    parts = decompose_affine(matrix)
    assert parts.scale_x == pytest.approx(parts.scale_y)
    assert parts.shear == pytest.approx(0, abs=1e-9)
    inside = transform_points(np.linalg.inv(matrix), box.corners())
    low, high = view_corners(64, 48)[0], view_corners(64, 48)[2]
    assert (inside >= low - 1e-9).all()
    assert (inside <= high + 1e-9).all()


def test_the_crop_of_the_whole_frame_is_the_identity() -> None:
    frame = AxisAlignedBox.from_corners(view_corners(64, 48))
    np.testing.assert_allclose(frame_from_crop(frame, 1, 64, 48, "stretch"), np.eye(3), atol=1e-13)


@pytest.mark.parametrize("box", [AxisAlignedBox(0, 0, 0, 4), AxisAlignedBox(0, 0, np.nan, 4)])
def test_a_crop_of_nothing_is_refused(box: AxisAlignedBox) -> None:
    with pytest.raises(ValueError, match="box size"):
        frame_from_crop(box, 1, 8, 8, "stretch")


def test_an_unknown_crop_shape_and_margin_are_refused() -> None:
    with pytest.raises(ValueError, match="crop shape"):
        frame_from_crop(AxisAlignedBox(0, 0, 1, 1), 1, 8, 8, "round")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="margin"):
        frame_from_crop(AxisAlignedBox(0, 0, 1, 1), 0, 8, 8, "square")


@settings(deadline=None, max_examples=50)
@given(BOXES)
def test_the_box_of_a_similar_view_is_the_region_itself(box: OrientedBox) -> None:
    found = oriented_box_of_view(frame_from_crop(box, 1, 80, 60, "stretch"), 80, 60)
    np.testing.assert_allclose(found.corners(), box.corners(), atol=1e-6)


def test_the_box_of_a_projective_view_follows_its_centre() -> None:
    quad = np.array([[100.0, 100], [220, 110], [200, 190], [110, 200]])
    matrix = homography_from_corners(quad, view_corners(80, 60))
    box = oriented_box_of_view(matrix, 80, 60)
    np.testing.assert_allclose([box.center_x, box.center_y], quad_center(quad), atol=1e-9)
    ahead = transform_points(matrix, [[39.5, 29.5], [39.6, 29.5]])
    direction = np.arctan2(*(ahead[1] - ahead[0])[::-1])
    assert box.angle_rad == pytest.approx(direction, abs=1e-4)
    with pytest.raises(InvalidTransformError):
        oriented_box_of_view(np.diag([-1.0, 1, 1]), 8, 8)


def test_the_angle_of_a_view_turned_clockwise_on_the_screen_is_positive() -> None:
    matrix = recompose_affine(AffineParts(0.4, 0, 1, 1, 50, 50))
    assert oriented_box_of_view(matrix, 20, 10).angle_rad == pytest.approx(0.4)


@settings(deadline=None, max_examples=50)
@given(BOXES, st.sampled_from([1, 2, 4]), st.integers(0, 3), st.floats(0, 0.4))
def test_corner_error_is_the_least_over_the_allowed_turns(
    box: OrientedBox, symmetry: int, shift: int, offset: float
) -> None:
    true = box.corners()
    predicted = np.roll(true, -shift, axis=0) + np.array([offset, 0])
    error, found = corner_error_px(predicted, true, symmetry)
    every = [
        np.linalg.norm(predicted - np.roll(true, -k, axis=0), axis=1).mean()
        for k in range(0, 4, 4 // symmetry)
    ]
    assert error == pytest.approx(min(every))
    if shift % (4 // symmetry) == 0 and min(box.width, box.height) > 2:
        assert error == pytest.approx(offset, abs=1e-9)
        assert found == shift
    with pytest.raises(ValueError, match="symmetry"):
        corner_error_px(predicted, true, 3)


def test_errors_of_several_pairs_are_each_pair_s_own_and_unknown_where_a_corner_is() -> None:
    square = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])
    unknown = np.where(np.eye(4, 2, dtype=bool), np.nan, square)
    predicted = np.stack([square + 3, np.roll(square, -1, axis=0), unknown])
    errors, shifts = corner_errors_px(predicted, np.stack([square] * 3), np.array([1, 4, 4]))
    np.testing.assert_allclose(errors, [3 * np.sqrt(2), 0, np.nan])
    assert shifts.tolist() == [0, 1, 0]


def test_the_centre_lies_on_both_diagonals_and_is_unknown_where_they_are_parallel() -> None:
    quad = np.array([(0.0, 0.0), (90.0, 10.0), (80.0, 50.0), (-5.0, 70.0)])
    center = quad_center(quad)
    for one, other in ((0, 2), (1, 3)):
        matrix = np.column_stack([quad[other] - quad[one], center - quad[one]])
        assert np.linalg.det(matrix) == pytest.approx(0, abs=1e-9)
    folded = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 5.0), (20.0, 5.0)])
    assert np.isnan(quad_centers(np.stack([quad, folded]))).tolist() == [[False] * 2, [True] * 2]


@settings(deadline=None, max_examples=50)
@given(BOXES, st.integers(-5, 5))
def test_a_turned_view_sees_the_same_quad_from_the_next_corner(
    box: OrientedBox, turns: int
) -> None:
    matrix = frame_from_crop(box, 1, 80, 60, "stretch")
    turned = turn_view(matrix, 80, 60, turns)
    np.testing.assert_allclose(
        view_quad(turned, 80, 60), np.roll(box.corners(), -(turns % 4), axis=0), atol=1e-9
    )
    np.testing.assert_allclose(turn_view(turned, 80, 60, -turns), matrix, atol=1e-9)


def test_only_convex_clockwise_quads_pass() -> None:
    square = view_corners(10, 10)
    assert is_convex_clockwise(square)
    assert not is_convex_clockwise(square[::-1])
    assert not is_convex_clockwise(square[[0, 2, 1, 3]])
    assert not is_convex_clockwise(np.array([[0, 0], [10, 0], [2, 2], [0, 10.0]]))
    assert not is_convex_clockwise(np.full((4, 2), np.nan))
    assert quad_side_px(view_corners(10, 6)) == pytest.approx(8)
