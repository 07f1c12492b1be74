# SPDX-License-Identifier: Apache-2.0
"""Figures per object, class, camera, recording and condition are those of their members."""

import math

import numpy as np
import pytest

from stn_perception.bags.metrics import grouped, view_columns
from stn_perception.bags.metrics.conditions import binned_conditions, sizes_px, turns_deg
from stn_perception.bags.metrics.groups import MOST_GROUPS
from stn_perception.geometry import OrientedBox

from .making import SQUARE, evaluation, moved, view


def medians(evaluated, kind, metric="corner_error_px", label="planar"):
    groups = grouped(evaluated)[kind].of_model[label]
    return {group.name: group.metrics[metric].median for group in groups}


def test_each_group_has_the_figures_of_its_members() -> None:
    parts = {"a": ("stop", "front", 1.0), "b": ("stop", "rear", 2.0), "c": ("", "rear", 3.0)}
    views = [
        view(k, moved((error, 0)), truth_id=name, class_id=kind, camera=camera, bag=f"bag {name}")
        for name, (kind, camera, error) in parts.items()
        for k in range(30)
    ]
    found = evaluation(views)
    assert medians(found, "object") == pytest.approx({"a": 1, "b": 2, "c": 3})
    assert medians(found, "class") == pytest.approx({"(no class)": 3, "stop": 1.5})
    assert medians(found, "camera") == pytest.approx({"front": 1, "rear": 2.5})
    assert medians(found, "bag") == pytest.approx({"bag a": 1, "bag b": 2, "bag c": 3})


def test_objects_are_known_by_truth_then_by_upstream_id_then_by_track() -> None:
    views = [
        view(0, truth_id="true", object_id="given"),
        view(1, truth=None, object_id="given"),
        view(2, truth=None, object_id="", track_id=7),
    ]
    assert view_columns(views).thing.tolist() == ["true", "given", "track 7"]


def test_sizes_are_cut_at_the_quartiles_of_all_models() -> None:
    views = [
        view(k, SQUARE * (1 + k), SQUARE * (1 + k), model=model)
        for k in range(40)
        for model in ("planar", "other")
    ]
    groups = grouped(evaluation(views, labels=("planar", "other")))["size_px"]
    for label in ("planar", "other"):
        # A value on an edge belongs to the upper bin.
        assert [group.views for group in groups.of_model[label]] == [9, 10, 10, 11]
    assert groups.of_model["planar"][0].name == "100 to 1000 px"


def test_a_condition_that_is_unknown_or_the_same_everywhere_makes_no_bins() -> None:
    columns = view_columns([view(k, sharpness=5.0) for k in range(50)])
    assert binned_conditions(columns) == {}
    some = view_columns([view(k, distance_m=k if k % 2 else None) for k in range(80)])
    assert (binned_conditions(some)["distance_m"].places >= 0).sum() == 40


@pytest.mark.parametrize(
    ("turn", "symmetry", "expected"),
    [(30, 1, 30), (-30, 1, 30), (170, 1, 170), (170, 2, 10), (100, 4, 10), (50, 4, 40)],
)
def test_the_turn_is_the_least_that_symmetry_allows(turn, symmetry, expected) -> None:
    corners = OrientedBox(100, 100, 80, 60, math.radians(turn)).corners()
    true = view_columns([view(truth=corners, symmetry=symmetry)])
    guessed = view_columns([view(corners=corners, truth=None, symmetry=symmetry)])
    assert turns_deg(true) == turns_deg(guessed) == pytest.approx([expected])


def test_the_size_is_the_true_one_or_that_of_the_box() -> None:
    columns = view_columns([view(0), view(1, truth=None)])
    assert sizes_px(columns) == pytest.approx([100, 120])


def test_only_the_largest_of_very_many_groups_are_kept() -> None:
    views = [view(k, truth=None, object_id=f"d{k}") for k in range(80)]
    views += [view(k, truth=None, object_id="last") for k in range(80, 90)]
    grouping = grouped(evaluation(views))["object"]
    assert len(grouping.of_model["planar"]) == MOST_GROUPS
    assert grouping.left_out == 81 - MOST_GROUPS
    assert grouping.of_model["planar"][-1].name == "last"


def test_every_view_with_a_known_condition_is_in_one_bin() -> None:
    rng = np.random.default_rng(2)
    columns = view_columns(
        [view(k, sharpness=float(s)) for k, s in enumerate(rng.normal(size=97))]
    )
    places = binned_conditions(columns)["sharpness"].places
    assert set(places.tolist()) == {0, 1, 2, 3}
    assert np.bincount(places).max() - np.bincount(places).min() <= 2
