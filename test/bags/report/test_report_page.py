# SPDX-License-Identifier: Apache-2.0
"""The page says what was found, and is the same for the same records."""

import html
import json
import re

import numpy as np
import pytest

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics import compared, measured
from stn_perception.bags.report import write_report
from stn_perception.bags.report.page import report_html

from .making_report import drive, evaluation, pictured, view

pytest.importorskip("plotly")


@pytest.fixture(scope="module")
def found() -> Evaluation:
    return drive()


@pytest.fixture(scope="module")
def page(found) -> str:
    return report_html(found, pictured(found))


def plots_of(page: str) -> dict:
    (content,) = re.findall(r'<script type="application/json" id="plots">(.*?)</script>', page)
    return json.loads(content)


def test_it_names_what_it_was_made_of(found, page) -> None:
    assert found.command in page
    assert "cd" * 32 in page and "ab" * 32 in page
    assert "The recording ends in the middle of a chunk." in page and "damaged_chunks" in page
    (comparison,) = compared(found)
    assert comparison.better == "planar"
    assert html.escape(comparison.verdict) in page


def test_its_figures_are_the_measured_ones(found, page) -> None:
    error = measured(found).of_model["planar"]["corner_error_of_side"]
    assert f"<b>{100 * error.median:.3g} %</b>" in page
    low, high = error.ci95
    assert f"{100 * low:.3g} to {100 * high:.3g} %" in page


def test_every_plot_has_its_place_and_is_one_that_plotly_knows(page) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    plots = plots_of(page)
    assert {"plot-histogram-corner_error_of_side", "plot-reliability", "plot-by-object"} <= set(
        plots
    )
    for name, plot in plots.items():
        assert page.count(f'id="{name}"') == 1
        graph_objects.Figure(plot["data"], plot["layout"])


def test_the_same_records_give_the_same_bytes(found, page) -> None:
    order = np.random.default_rng(1).permutation(len(found.views))
    shuffled = Evaluation(
        found.bags,
        found.models,
        tuple(found.views[k] for k in order),
        found.frames[::-1],
        found.command,
        seconds=99.0,
    )
    assert report_html(shuffled, pictured(shuffled)) == page


def test_names_cannot_break_the_page() -> None:
    name = "</script><img src=x onerror=alert(1)>"
    page = report_html(drive(seconds=2, labels=("planar",), name=name), [])
    assert name not in page
    assert "&lt;/script&gt;&lt;img src=x" in page
    titles = [plot for plot in plots_of(page) if plot.startswith("plot-time")]
    assert len(titles) == 1


def test_without_truth_the_page_shows_what_is_known() -> None:
    found = drive(seconds=4, labels=("planar",), with_truth=False)
    page = report_html(found, pictured(found))
    plots = plots_of(page)
    assert "plot-histogram-jitter_of_side" in plots and "plot-reliability" not in plots
    assert "median equivariance error" in page and "corner error" not in page


def test_a_page_about_nothing_is_a_page() -> None:
    for empty in (evaluation([]), evaluation([view()]), evaluation([], labels=())):
        page = report_html(empty, [])
        assert "How this was made" in page
        plots_of(page)


def test_it_is_written_whole_or_not_at_all(tmp_path, found) -> None:
    path = tmp_path / "report.html"
    write_report(found, [], path)
    assert path.read_text(encoding="utf-8").endswith("</html>\n")
    with pytest.raises(OSError, match="missing"):
        write_report(found, [], tmp_path / "missing" / "report.html")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_the_data_of_long_recordings_stays_small() -> None:
    short, long = (
        len(json.dumps(plots_of(report_html(drive(seconds, ("planar",)), []))))
        for seconds in (20, 120)
    )
    assert long < 1.5 * short < 400_000


def test_worst_views_are_shown_with_their_pictures(found, page) -> None:
    assert page.count("data:image/jpeg;base64,") == 11
    assert "The worst 6 views" in page
    values = [float(v) for v in re.findall(r"<b>\d\. ([\d.]+) %</b>", page)]
    assert len(values) == 6
    # The models take turns, each with its worst first.
    assert values[0] >= values[2] >= values[4] and values[1] >= values[3] >= values[5]
