# SPDX-License-Identifier: Apache-2.0
"""What the plots show is what the records hold."""

import numpy as np
import pytest

from stn_perception.bags.metrics import measured
from stn_perception.bags.report import worst_views
from stn_perception.bags.report.bag_names import short_names
from stn_perception.bags.report.distributions import distribution_plots
from stn_perception.bags.report.over_time import time_plots
from stn_perception.bags.report.reliability import reliability_bins

from .making_report import SQUARE, drive, evaluation, moved, view

ERROR = "corner_error_of_side"


def shifted_by(errors, **changes):
    return [view(k, moved((e, 0)), **changes) for k, e in enumerate(errors)]


def test_histogram_and_shares_count_every_view() -> None:
    errors = np.random.default_rng(0).gamma(3, 1, 500)
    found = measured(evaluation(shifted_by(errors)))
    histogram, shares = distribution_plots(found, ["planar"], [ERROR])
    counts = [count for _, count in histogram.traces[0]["customdata"]]
    assert sum(counts) == 495 and histogram.note.startswith("5 of 500 views")
    x, y = (np.array(shares.traces[0][axis]) for axis in "xy")
    assert y[-1] == 100 and (np.diff(y) > 0).all() and (np.diff(x) >= 0).all()
    assert np.interp(50, y, x) == pytest.approx(np.median(errors), rel=0.02)


def test_what_never_varies_has_no_plot() -> None:
    found = measured(evaluation(shifted_by([1.0] * 50)))
    assert distribution_plots(found, ["planar"], [ERROR, "valid_fraction", "psnr_db"]) == []


def test_time_is_drawn_per_object_with_gaps_where_it_was_not_seen() -> None:
    frames = [k for k in range(100) if not 40 <= k < 60]
    views = [view(k, moved((1, 0)), truth_id=name) for name in "ab" for k in frames]
    plots, hidden = time_plots(measured(evaluation(views)), ["planar"], ERROR, {})
    (plot,) = plots
    assert hidden == "" and [trace["name"] for trace in plot.traces] == ["a", "b"]
    assert plot.traces[0]["y"].count(None) == 1
    assert len(plot.traces[0]["x"]) == 81
    assert plot.traces[0]["x"][0] == 0 and plot.traces[0]["x"][-1] == pytest.approx(4.95)


def test_long_lines_are_medians_of_spans() -> None:
    errors = np.random.default_rng(1).gamma(3, 1, 3000)
    (plot,), _ = time_plots(measured(evaluation(shifted_by(errors))), ["planar"], ERROR, {})
    trace = plot.traces[0]
    assert len(trace["x"]) == 300 and sum(trace["customdata"]) == 3000
    first = trace["customdata"][0]
    assert trace["y"][0] == pytest.approx(np.median(errors[:first]), rel=1e-4)


def test_cameras_beyond_the_largest_eight_are_named_as_left_out() -> None:
    views = [v for c in range(10) for v in shifted_by([1.0] * (3 + c), camera=f"camera {c}")]
    plots, hidden = time_plots(measured(evaluation(views)), ["planar"], ERROR, {})
    assert len(plots) == 8 and hidden == "2 cameras with fewer views are left out."
    assert all("camera 0" not in plot.title for plot in plots)


@pytest.mark.parametrize(("factor", "alike"), [(2.0, True), (50.0, False)])
def test_models_share_an_axis_unless_they_are_worlds_apart(factor, alike) -> None:
    views = shifted_by([1.0] * 50) + shifted_by([factor] * 50, model="other")
    found = measured(evaluation(views, labels=("planar", "other")))
    plots, _ = time_plots(found, ["planar", "other"], ERROR, {"drive": "short"})
    assert [plot.title for plot in plots] == ["short, front, planar", "short, front, other"]
    first, second = (plot.layout["yaxis"]["range"] for plot in plots)
    assert (first == second) is alike
    assert second[1] >= factor


def test_recordings_are_called_by_the_last_part_of_their_path_where_it_tells_them_apart() -> None:
    views = [
        view(k, bag=name) for k, name in enumerate(("/a/one", "/a/two/", "/b/two", "s3://c/x"))
    ]
    assert short_names(evaluation(views, bags=())) == {
        "/a/one": "one",
        "/a/two/": "/a/two/",
        "/b/two": "/b/two",
        "s3://c/x": "x",
    }


def test_an_honest_deviation_is_found_honest_and_a_bold_one_bold() -> None:
    rng = np.random.default_rng(2)
    for boldness in (1.0, 2.0):
        views = []
        for k in range(4000):
            sigma = 0.5 + k % 4
            noise = rng.normal(0, boldness * sigma, (4, 2))
            views.append(view(k, SQUARE + noise, corner_sigma_px=sigma))
        bins = reliability_bins(measured(evaluation(views)), "planar")
        assert len(bins) == 10
        for one in bins:
            low, high = one.interval_px
            assert low < one.measured_px < high
            assert one.measured_px == pytest.approx(boldness * one.predicted_px, rel=0.1)


def test_a_turned_view_is_judged_at_the_turn_that_symmetry_allows() -> None:
    views = [
        view(k, np.roll(SQUARE, k, axis=0) + 1.0, symmetry=4, corner_sigma_px=1.0)
        for k in range(40)
    ]
    (one, _) = reliability_bins(measured(evaluation(views)), "planar")
    assert one.measured_px == pytest.approx(1.0)


def test_the_worst_views_are_of_different_objects_or_seconds_first() -> None:
    errors = [10.0 + 0.01 * k for k in range(20)] + [5.0] * 20 + [1.0] * 20
    found = evaluation(shifted_by(errors))
    chosen = worst_views(found, 5)
    seconds = [one.stamp_ns // 10**9 for one in chosen[:3]]
    assert len(set(seconds)) == 3
    assert chosen[0].corners[0, 0] == pytest.approx(SQUARE[0, 0] + 10.19)
    assert [one.corners[0, 0] for one in chosen[3:]] == pytest.approx(
        [SQUARE[0, 0] + 10.18, SQUARE[0, 0] + 10.17]
    )


def test_models_take_turns_among_the_worst() -> None:
    chosen = worst_views(drive(seconds=3), 6)
    assert [one.model for one in chosen] == ["planar", "other"] * 3


def test_without_truth_the_worst_are_the_least_equivariant() -> None:
    views = [view(k, truth=None, equivariance_error=e) for k, e in enumerate([0.1, 0.3, 0.2])]
    assert [one.frame for one in worst_views(evaluation(views), 20)] == [1, 2, 0]
    assert worst_views(evaluation([view(0, truth=None)]), 20) == []
