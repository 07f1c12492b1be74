# SPDX-License-Identifier: Apache-2.0
"""The oriented box of an outline is what its docstring says."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.training.tabletop.oriented import (
    angle_between,
    oriented_box,
    outline_of_mask,
)


def turned_rectangle(angle: float, long: float, short: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * [long / 2, short / 2]
    return corners @ np.array([(c, s), (-s, c)]) + [210.0, 95.0]


@settings(max_examples=60, deadline=None)
@given(angle=st.floats(-1.57, 1.57), short=st.floats(4.0, 50.0), aspect=st.floats(1.05, 6.0))
def test_a_rectangle_is_its_own_oriented_box(angle: float, short: float, aspect: float) -> None:
    corners = turned_rectangle(angle, short * aspect, short)
    box = oriented_box(corners)
    assert np.degrees(angle_between(box.angle_rad, angle)) < 0.05
    assert box.aspect == pytest.approx(aspect, rel=1e-3)
    assert 2 * np.linalg.norm(box.long_half) == pytest.approx(short * aspect, rel=1e-3)
    assert box.centre == pytest.approx([210.0, 95.0], abs=1e-3)
    # OpenCV's rectangle of the same corners, found another way.
    (x, y), sides, _ = cv2.minAreaRect(corners.astype(np.float32))
    assert (x, y) == pytest.approx(tuple(box.centre), abs=1e-2)
    assert sorted(sides) == pytest.approx([short, short * aspect], rel=1e-3)


def test_the_axes_of_an_ellipse_are_its_principal_ones() -> None:
    t = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    c, s = np.cos(0.6), np.sin(0.6)
    outline = np.stack([30 * np.cos(t), 12 * np.sin(t)], 1) @ np.array([(c, s), (-s, c)])
    box = oriented_box(outline)
    assert box.angle_rad == pytest.approx(0.6, abs=1e-3)
    assert box.aspect == pytest.approx(2.5, rel=1e-3)


def test_corners_run_clockwise_from_a_view_along_the_long_side() -> None:
    box = oriented_box(turned_rectangle(0.4, 40, 10))
    corners = box.corners
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    assert (edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0] > 0).all()
    assert np.linalg.norm(edges[0]) == pytest.approx(40, rel=1e-3)


def test_an_axis_turned_by_half_a_turn_is_the_same() -> None:
    assert angle_between(0.3, 0.3 + np.pi) == pytest.approx(0.0, abs=1e-9)
    assert angle_between(-1.5, 1.5) == pytest.approx(np.pi - 3.0)
    first = oriented_box(turned_rectangle(0.3, 40, 10))
    second = oriented_box(turned_rectangle(0.3 + np.pi, 40, 10))
    assert first.angle_rad == pytest.approx(second.angle_rad, abs=1e-5)


def test_a_masks_outline_goes_round_its_pixels() -> None:
    mask = np.zeros((20, 30), bool)
    mask[4:9, 10:22] = True
    outline = outline_of_mask(mask)
    assert outline.min(axis=0) == pytest.approx([9.5, 3.5])
    assert outline.max(axis=0) == pytest.approx([21.5, 8.5])


def test_an_outline_without_area_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no area"):
        oriented_box(np.array([(0.0, 0.0), (5.0, 5.0), (9.0, 9.0)]))
