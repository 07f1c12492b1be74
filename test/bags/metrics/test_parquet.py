# SPDX-License-Identifier: Apache-2.0
"""The Parquet file holds every view with its figures."""

import json

import numpy as np
import pytest

from stn_perception.bags.metrics import measured, write_parquet

from .making import evaluation, moved, trembling, view

parquet = pytest.importorskip("pyarrow.parquet")


def test_every_view_is_a_row_with_its_figures(tmp_path) -> None:
    views = [*trembling(seconds=2), view(60, moved((3, 4)), truth=None, distance_m=1.5)]
    found = evaluation(views)
    write_parquet(found, tmp_path / "views.parquet")
    rows = parquet.read_table(tmp_path / "views.parquet").to_pylist()
    assert len(rows) == 41
    last = rows[-1]
    assert (last["bag"], last["camera"], last["object_id"]) == ("drive", "front", "sign")
    assert (last["top_left_x_px"], last["bottom_right_y_px"]) == (103.0, 154.0)
    assert (last["box_center_x_px"], last["distance_m"]) == (150.0, 1.5)
    assert last["corner_error_px"] is None and last["true_top_left_x_px"] is None
    errors = [row["corner_error_of_side"] for row in rows[:-1]]
    assert errors == measured(found).values["corner_error_of_side"][:-1].tolist()


def test_the_metadata_says_where_it_came_from(tmp_path) -> None:
    found = evaluation([view()])
    write_parquet(found, tmp_path / "views.parquet")
    metadata = parquet.read_schema(tmp_path / "views.parquet").metadata
    assert metadata[b"command"].decode() == found.command
    assert json.loads(metadata[b"models"])["planar"]["sha256"] == "cd" * 32
    assert json.loads(metadata[b"bags"])[0]["sha256"] == "ab" * 32


def test_the_same_views_in_any_order_give_the_same_bytes(tmp_path) -> None:
    views = trembling(seconds=2) + trembling(seconds=2, model="other")
    labels = ("planar", "other")
    write_parquet(evaluation(views, labels=labels), tmp_path / "a")
    shuffled = [views[k] for k in np.random.default_rng(0).permutation(len(views))]
    write_parquet(evaluation(shuffled, labels=labels), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_columns_have_the_same_types_whether_there_are_views_or_not(tmp_path) -> None:
    write_parquet(evaluation([view()]), tmp_path / "one")
    write_parquet(evaluation([]), tmp_path / "none")
    one, none = (parquet.read_schema(tmp_path / name) for name in ("one", "none"))
    assert one.equals(none)


def test_a_folder_that_is_not_there_leaves_nothing(tmp_path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_parquet(evaluation([view()]), tmp_path / "missing" / "views.parquet")
    assert list(tmp_path.iterdir()) == []
