# SPDX-License-Identifier: Apache-2.0
"""Cases of each kind: the truth lies where the box is, and the order of corners has an up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stn_perception.geometry import AxisAlignedBox
from stn_perception.geometry.quads import is_convex_clockwise
from stn_perception.messages.regions import Region
from stn_perception.training.explain.cases import ExplainError, true_corners
from stn_perception.training.explain.shipped_cases import generated_cases, labelled_cases

SQUARE = np.array([(10.0, 10), (30, 10), (30, 30), (10, 30)])


@pytest.mark.parametrize("name", ["planar", "tabletop", "signs", "a_users_own"])
def test_drawn_cases_have_their_truth_in_their_box(name: str) -> None:
    if name == "tabletop":
        pytest.importorskip("pybullet")
    cases = list(generated_cases(name, 6, seed=3).cases)
    assert len(cases) == 6
    for case in cases:
        assert case.corners is not None and is_convex_clockwise(case.corners)
        box = case.region.box
        off = np.abs(case.corners.mean(axis=0) - (box.center_x, box.center_y))
        assert (off < 0.4 * np.array([box.width, box.height])).all()
        if name == "signs":
            assert case.class_id and case.frame.color == "rgb"
            assert case.symmetry in (1, 2, 4)
    again = list(generated_cases(name, 6, seed=3).cases)
    assert all(
        np.array_equal(a.frame.pixels, b.frame.pixels) and np.array_equal(a.corners, b.corners)
        for a, b in zip(cases, again, strict=True)
    )


def test_no_scene_is_refused() -> None:
    with pytest.raises(ExplainError, match="0 generated scenes"):
        generated_cases("planar", 0, 1)


def test_other_folders_are_left_to_the_common_readers(tmp_path: Path) -> None:
    for name in ("planar", "tabletop", "signs"):
        assert labelled_cases(name, tmp_path, 0, 10) is None


def test_truth_is_found_by_id_and_else_by_overlap() -> None:
    objects = {"a": SQUARE, "b": SQUARE + 100}
    assert true_corners(Region(AxisAlignedBox(500, 500, 9, 9), "a"), objects) is objects["a"]
    assert true_corners(Region(AxisAlignedBox(121, 119, 22, 20)), objects) is objects["b"]
    assert true_corners(Region(AxisAlignedBox(60, 60, 20, 20)), objects) is None
