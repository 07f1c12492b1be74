# SPDX-License-Identifier: Apache-2.0
"""Many items in one call give what one at a time gives, and what independent methods give."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from stn_perception.geometry import (
    AxisAlignedBox,
    InvalidTransformError,
    OrientedBox,
    corners_given_box,
    frame_from_crop,
    homography_from_corners,
    is_convex_clockwise,
    jacobian_at,
    oriented_box_of_view,
    oriented_iou,
    polygon_area,
    quad_side_px,
    transform_points,
    transformed_corner_covariance,
    view_corners,
    view_quad,
)
from stn_perception.geometry.box_evidence import corners_given_boxes
from stn_perception.geometry.box_rows import (
    box_corners,
    box_rows,
    frames_from_crops,
    oriented_boxes,
    oriented_rows_of_views,
    overlaps,
)
from stn_perception.geometry.matrices import (
    determinants,
    inverses,
    orthonormal_columns,
    orthonormal_rows,
)
from stn_perception.geometry.quads import (
    are_convex_clockwise,
    frame_from_view_of_quad,
    polygon_areas,
    quad_sides_px,
)
from stn_perception.geometry.uncertainty import transformed_corner_variances
from stn_perception.geometry.views import check_view_transform, seen_views

SIZE = (64, 48)


def random_boxes(count: int, seed: int) -> list[OrientedBox]:
    rng = np.random.default_rng(seed)
    return [
        OrientedBox(*rng.uniform(0, 100, 2), *rng.uniform(1, 60, 2), angle * (number % 3 > 0))
        for number, angle in enumerate(rng.uniform(-4, 4, count))
    ]


def random_quads(count: int, seed: int) -> np.ndarray:
    """Corners of turned boxes, moved by a tenth of their size; most are still convex."""
    rng = np.random.default_rng(seed)
    quads = np.array([box.corners() for box in random_boxes(count, seed)])
    sizes = np.ptp(quads, axis=1).max(axis=1)
    return np.asarray(quads + rng.normal(size=quads.shape) * 0.1 * sizes[:, None, None])


def convex_quads(count: int, seed: int) -> np.ndarray:
    quads = random_quads(2 * count, seed)
    return np.asarray(quads[are_convex_clockwise(quads)][:count])


def test_overlaps_are_those_of_one_pair_at_a_time_and_of_opencv() -> None:
    first, second = random_boxes(600, 1), random_boxes(600, 2)
    for place in range(0, 600, 10):  # the same, one within, side by side, and far apart
        box = first[place]
        inner = OrientedBox(
            box.center_x, box.center_y, box.width / 2, box.height / 3, box.angle_rad
        )
        beside = OrientedBox(
            box.center_x + box.width * np.cos(box.angle_rad),
            box.center_y + box.width * np.sin(box.angle_rad),
            box.width,
            box.height,
            box.angle_rad,
        )
        far = OrientedBox(box.center_x + 1e4, box.center_y, box.width, box.height, 1.0)
        second[place : place + 4] = [box, inner, beside, far]
        first[place : place + 4] = [box] * 4
    shares = overlaps(box_rows(first), box_rows(second))
    expected = [oriented_iou(a, b) for a, b in zip(first, second, strict=True)]
    np.testing.assert_allclose(shares, expected, atol=1e-12)
    assert 0.3 < np.mean(shares > 0) < 0.9
    for share, a, b in zip(shares, first, second, strict=True):
        area, _ = cv2.intersectConvexConvex(
            a.corners().astype(np.float32), b.corners().astype(np.float32)
        )
        assert share == pytest.approx(area / (a.area + b.area - area), abs=2e-3)


def test_boxes_without_area_overlap_nothing() -> None:
    rows = np.array([[5.0, 5, 0, 4, 0.3], [5, 5, 0, 0, 0]])
    np.testing.assert_array_equal(overlaps(rows, rows), [0, 0])
    np.testing.assert_array_equal(overlaps(rows[:0], rows[:0]), [])


@pytest.mark.parametrize("shape", ["stretch", "square"])
def test_rows_stand_for_boxes(shape: str) -> None:
    boxes: list[OrientedBox | AxisAlignedBox] = list(random_boxes(50, 3))
    boxes.append(AxisAlignedBox(10.0, 20.0, 30.0, 40.0))
    rows = box_rows(boxes)
    np.testing.assert_allclose(box_corners(rows), [box.corners() for box in boxes], atol=1e-12)
    crops = frames_from_crops(rows, 1.3, *SIZE, shape)  # type: ignore[arg-type]
    one_by_one = [frame_from_crop(box, 1.3, *SIZE, shape) for box in boxes]  # type: ignore[arg-type]
    np.testing.assert_allclose(crops, one_by_one, atol=1e-12)
    assert oriented_boxes(rows)[:50] == boxes[:50]


def test_a_view_of_a_quad_has_its_corners() -> None:
    quads = convex_quads(300, 4)
    transforms = frame_from_view_of_quad(quads, *SIZE)
    np.testing.assert_allclose(view_quad(transforms, *SIZE), quads, atol=1e-9)
    general = np.array([homography_from_corners(quad, view_corners(*SIZE)) for quad in quads])
    scale = np.abs(general).max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(transforms / scale, general / scale, atol=1e-11)
    boxes = [oriented_box_of_view(transform, *SIZE) for transform in transforms]
    np.testing.assert_allclose(oriented_rows_of_views(transforms, *SIZE), box_rows(boxes))
    with pytest.raises(InvalidTransformError, match="view 1 is mirrored"):
        oriented_rows_of_views(np.array([np.eye(3), np.diag([1.0, -1, 1])]), *SIZE)


def test_points_and_jacobians_of_stacks() -> None:
    transforms = frame_from_view_of_quad(convex_quads(20, 5), *SIZE)
    points = np.random.default_rng(0).uniform(0, 40, (20, 3, 2))
    mapped = [transform_points(t, p) for t, p in zip(transforms, points, strict=True)]
    np.testing.assert_allclose(transform_points(transforms, points), mapped, rtol=1e-13)
    slopes = [[jacobian_at(t, p) for p in ps] for t, ps in zip(transforms, points, strict=True)]
    np.testing.assert_allclose(jacobian_at(transforms[:, None], points), slopes, rtol=1e-13)
    horizon = np.array([np.eye(3), [[1, 0, 0], [0, 1, 0], [1, 0, -2.0]]])
    assert np.isnan(transform_points(horizon, [[1.0, 1.0]])).any(axis=(1, 2)).tolist() == [0, 1]
    with pytest.raises(InvalidTransformError, match=r"\(2\.0, 1\.0\) maps to infinity"):
        jacobian_at(horizon, [2.0, 1.0])


def test_quads_of_stacks() -> None:
    quads = random_quads(100, 6)
    np.testing.assert_array_equal(
        are_convex_clockwise(quads), [is_convex_clockwise(quad) for quad in quads]
    )
    np.testing.assert_allclose(quad_sides_px(quads), [quad_side_px(quad) for quad in quads])
    np.testing.assert_allclose(polygon_areas(quads), [polygon_area(quad) for quad in quads])
    assert not are_convex_clockwise(np.full((1, 4, 2), np.nan)).any()


@pytest.mark.parametrize("is_turned", [False, True])
def test_boxes_are_evidence_about_each_quad_alone(is_turned: bool) -> None:
    rng = np.random.default_rng(7)
    boxes: list[OrientedBox | AxisAlignedBox] = list(random_boxes(60, 7))
    if not is_turned:
        boxes = [AxisAlignedBox(b.center_x, b.center_y, b.width, b.height) for b in boxes]
    corners = np.array([b.corners() for b in boxes]) + rng.normal(size=(60, 4, 2))
    roots = rng.normal(size=(60, 8, 8))
    covariance = roots @ np.swapaxes(roots, 1, 2)
    usable = rng.random((60, 4)) > 0.3
    usable[0] = False
    together = corners_given_boxes(corners, covariance, box_rows(boxes), 0.03, usable)
    for place, box in enumerate(boxes):
        alone = corners_given_box(corners[place], covariance[place], box, 0.03, usable[place])
        np.testing.assert_allclose(together[0][place], alone[0], atol=1e-11)
        np.testing.assert_allclose(together[1][place], alone[1], atol=1e-11)
        kept = np.flatnonzero(usable[place])
        if len(kept) < 4:  # the sides that say nothing may lie anywhere
            np.testing.assert_allclose(
                alone[0], _kalman(corners[place], covariance[place], box, 0.03, kept), atol=1e-9
            )
    np.testing.assert_array_equal(together[0][0], corners[0])


def _kalman(
    corners: np.ndarray,
    covariance: np.ndarray,
    box: OrientedBox | AxisAlignedBox,
    sigma: float,
    kept: np.ndarray,
) -> np.ndarray:
    """The corners by sequential updates with one side at a time, weights fixed beforehand."""
    cos, sin = np.cos(box.angle_rad), np.sin(box.angle_rad)
    turn = np.kron(np.eye(4), [[cos, sin], [-sin, cos]])
    center = np.tile([box.center_x, box.center_y], 4)
    state, spread = turn @ (corners.ravel() - center), turn @ covariance @ turn.T
    x, y = state[::2], state[1::2]
    touched = [2 * x.argmin(), 2 * x.argmax(), 2 * y.argmin() + 1, 2 * y.argmax() + 1]
    sides = np.array([-box.width, box.width, -box.height, box.height]) / 2
    noise = (sigma * np.abs(sides) * 2) ** 2
    expected = [spread[t, t] for t in touched] + noise
    excess = np.abs(sides - state[touched]) / np.sqrt(expected) / 2
    noise = noise * np.maximum(excess, 1.0) ** 2
    for side in kept:
        at = touched[side]
        gain = spread[:, at] / (spread[at, at] + noise[side])
        state = state + gain * (sides[side] - state[at])
        spread = spread - np.outer(gain, spread[at])
    return np.asarray((turn.T @ state + center).reshape(4, 2))


def test_variances_through_many_transforms() -> None:
    rng = np.random.default_rng(8)
    transforms = frame_from_view_of_quad(convex_quads(30, 8), *SIZE)
    corners = view_corners(*SIZE) + rng.normal(size=(30, 4, 2))
    variances = rng.uniform(0.1, 3, (30, 8))
    expected = [
        transformed_corner_covariance(transforms[i], corners[i], variances[i]) for i in range(30)
    ]
    actual = transformed_corner_variances(transforms, corners, variances)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_closed_forms_of_small_matrices() -> None:
    matrices = np.random.default_rng(9).normal(size=(40, 3, 3))
    matrices *= np.sign(np.linalg.det(matrices))[:, None, None]
    np.testing.assert_allclose(determinants(matrices), np.linalg.det(matrices), rtol=1e-9)
    np.testing.assert_allclose(inverses(matrices), np.linalg.inv(matrices), rtol=1e-7, atol=1e-9)
    for rotations, upper in (
        (columns := orthonormal_columns(matrices), np.swapaxes(columns, 1, 2) @ matrices),
        (rows := orthonormal_rows(matrices), matrices @ np.swapaxes(rows, 1, 2)),
    ):
        squares = rotations @ np.swapaxes(rotations, 1, 2)
        np.testing.assert_allclose(squares, np.broadcast_to(np.eye(3), (40, 3, 3)), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
        np.testing.assert_allclose(upper[:, [1, 2, 2], [0, 0, 1]], 0.0, atol=1e-11)
        assert (np.diagonal(upper, axis1=1, axis2=2) > 0).all()


def test_views_are_judged_one_by_one_in_a_stack() -> None:
    good = frame_from_view_of_quad(convex_quads(5, 10), *SIZE)
    bad = {
        "not_finite": np.full((3, 3), np.nan),
        "folded": np.array([[1.0, 0, 0], [0, 1, 0], [-0.1, 0, 1]]),
        "mirrored": np.diag([1.0, -1, 1]),
        "singular": np.diag([0.0, 0, 1]),
        "degenerate": np.diag([1e-6, 1e-6, 1]),
    }
    stack = np.concatenate([good[:2], [*bad.values()], -good[2:]])
    seen = seen_views(stack, *SIZE)
    assert {place: fault.reason for place, fault in seen.faults.items()} == dict(
        enumerate(bad, start=2)
    )
    for place, transform in enumerate(stack):
        if place in seen.faults:
            with pytest.raises(InvalidTransformError) as caught:
                check_view_transform(transform, *SIZE)
            assert str(caught.value) == str(seen.faults[place])
    kept = [place for place in range(len(stack)) if place not in seen.faults]
    np.testing.assert_allclose(seen.frame_from_view[kept], good, rtol=1e-15)
    np.testing.assert_allclose(seen.corners[kept], view_quad(good, *SIZE), rtol=1e-12)
    areas = [polygon_area(quad) for quad in seen.corners[kept]]
    np.testing.assert_allclose(seen.area_px2[kept], areas, rtol=1e-9)
