# SPDX-License-Identifier: Apache-2.0
"""The report's sections, each a piece of HTML and its plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.as_json import added
from stn_perception.bags.metrics.comparison import compared
from stn_perception.bags.metrics.groups import Grouping, grouped
from stn_perception.bags.metrics.jitter import STILL_SHARE
from stn_perception.bags.metrics.measuring import measured
from stn_perception.bags.metrics.metric_names import METRICS, VIEW_METRICS
from stn_perception.bags.metrics.statistics import FEWEST_CLUSTERS
from stn_perception.bags.report.bag_names import short_names
from stn_perception.bags.report.by_group import group_plots
from stn_perception.bags.report.distributions import distribution_plots
from stn_perception.bags.report.over_time import time_plots
from stn_perception.bags.report.plots import Plot, side_by_side, text
from stn_perception.bags.report.reliability import reliability_plot
from stn_perception.bags.report.tables import (
    group_table,
    metric_table,
    table,
    tiles,
)
from stn_perception.bags.report.worst import badness

_JITTER = "jitter_of_side"


@dataclass(frozen=True)
class Section:
    """A piece of the page.

    Attributes:
        content: HTML with an element for each plot.
        plots: Drawn into it.
    """

    content: str = ""
    plots: Sequence[Plot] = field(default_factory=tuple)


def head_section(evaluation: Evaluation) -> Section:
    """Return the title, the most asked figures of the first model, and the verdicts."""
    labels = list(evaluation.models)
    found = measured(evaluation).of_model
    first = found[labels[0]] if labels else {}
    entries = [
        (str(sum(bag.frames for bag in evaluation.bags)), "frames"),
        (
            str(sum(view.model == label for view in evaluation.views for label in labels[:1])),
            "views",
        ),
    ]
    for name in ("corner_error_of_side", "iou", _JITTER, "equivariance_error"):
        if name in first and (median := first[name].median) is not None:
            entries.append((METRICS[name].text(median), f"median {METRICS[name].title}"))
    for name in ("coverage", "truth_coverage"):
        if name in first and (mean := first[name].mean) is not None:
            entries.append((METRICS[name].text(mean), METRICS[name].title))
    verdicts = "".join(f"<p>{text(one.verdict)}</p>" for one in compared(evaluation))
    names = short_names(evaluation)
    bags = [names[bag.name] for bag in evaluation.bags]
    where = bags[0] if len(bags) == 1 else f"{len(bags)} recordings"
    of = f" Tiles show {labels[0]}." if len(labels) > 1 else ""
    return Section(
        f"<h1>{text(_listed(labels) or 'No model')} on {text(where)}</h1>"
        f"<p>Every frame of the recordings through the same pipeline as the node.{text(of)}</p>"
        f"{tiles(entries)}" + (f'<div class="card verdict">{verdicts}</div>' if verdicts else "")
    )


def skipped_section(evaluation: Evaluation) -> Section:
    """Return what was salvaged and what was left out; nothing where all went well."""
    told = [(bag.name, line) for bag in evaluation.bags for line in bag.sentences]
    skipped = added(bag.skipped for bag in evaluation.bags)
    rows = [("recordings", reason, str(count)) for reason, count in skipped.items()]
    for label in evaluation.models:
        dropped = added(f.dropped for f in evaluation.frames if f.model == label)
        rows += [(f"boxes without a view, {label}", r, str(n)) for r, n in dropped.items()]
    if not told and not rows:
        return Section()
    lines = "".join(f"<p><b>{text(name)}</b>: {text(line)}</p>" for name, line in told)
    counts = table(["where", "reason", "count"], rows, words=2) if rows else ""
    return Section(
        "<h2>What was left out</h2>"
        + (f'<div class="card told">{lines}</div>' if lines else "")
        + counts
    )


def metric_section(evaluation: Evaluation) -> Section:
    """Return the table of all metrics."""
    return Section(
        "<h2>All figures</h2><p>Intervals hold 95 % of 1,000 bootstrap draws of whole clusters: "
        "neighbouring frames are alike, so the views of one object within one second count as one "
        f"sample; below {FEWEST_CLUSTERS} clusters there is no interval. For what was seen or "
        "not, mean and interval are those of the share.</p>"
        f"{metric_table(measured(evaluation).of_model)}"
    )


def distribution_section(evaluation: Evaluation) -> Section:
    """Return how the metrics of single views are distributed."""
    names = [name for name in VIEW_METRICS if name not in ("corner_error_px", "centre_error_px")]
    names = [name for name in names if name != _JITTER]
    plots = distribution_plots(measured(evaluation), list(evaluation.models), names)
    return Section(f"<h2>Distributions</h2>{side_by_side(plots)}", plots) if plots else Section()


def time_section(evaluation: Evaluation) -> Section:
    """Return the error over time of each object."""
    found = measured(evaluation)
    name = badness(found)
    if name is None:
        return Section()
    names = short_names(evaluation)
    plots, hidden = time_plots(found, list(evaluation.models), name, names)
    what = METRICS[name].title
    return Section(
        f"<h2>Over time</h2><p>The {text(what)}, of each object. Long recordings are shown by the "
        "medians of 300 spans of time; a double click shows what lies above a plot. "
        f"{text(hidden)}</p>{side_by_side(plots)}",
        plots,
    )


def condition_section(evaluation: Evaluation) -> Section:
    """Return the error per object, class, camera, recording and condition."""
    found = measured(evaluation)
    name = badness(found)
    if name is None:
        return Section()
    groupings = grouped(evaluation)
    plots = group_plots(_with_short_names(groupings, evaluation), name, "by")
    if not plots:
        return Section()
    what = METRICS[name].title
    objects = groupings["object"]
    listed = group_table(objects, name) if len(next(iter(objects.of_model.values()))) > 1 else ""
    return Section(
        f"<h2>Under which conditions</h2><p>The {text(what)}. Size, sharpness and distance are "
        "cut at their quartiles, the turn in the image at fixed angles.</p>"
        f"{side_by_side(plots)}{listed}",
        plots,
    )


def _with_short_names(
    groupings: Mapping[str, Grouping], evaluation: Evaluation
) -> dict[str, Grouping]:
    """The groupings, recordings called as elsewhere on the page."""
    names = short_names(evaluation)
    by_bag = {
        label: tuple(replace(group, name=names.get(group.name, group.name)) for group in groups)
        for label, groups in groupings["bag"].of_model.items()
    }
    return {**groupings, "bag": replace(groupings["bag"], of_model=by_bag)}


def stability_section(evaluation: Evaluation) -> Section:
    """Return how much views tremble while their object is still."""
    found = measured(evaluation)
    labels = list(evaluation.models)
    plots = distribution_plots(found, labels, [_JITTER])
    if not plots:
        return Section()
    objects = {"object": grouped(evaluation)["object"]}
    plots += [replace(p, is_wide=True) for p in group_plots(objects, _JITTER, "jitter-by")]
    return Section(
        "<h2>Stability in time</h2><p>How far the corners move between consecutive frames without "
        "steady motion, over the side, where no corner of the box (or of the truth) moves by more "
        f"than {100 * STILL_SHARE:g} % of its side.</p>{side_by_side(plots)}",
        plots,
    )


def reliability_section(evaluation: Evaluation) -> Section:
    """Return whether predicted deviations are honest."""
    plot = reliability_plot(measured(evaluation), list(evaluation.models))
    if plot is None:
        return Section()
    return Section(f"<h2>Does it know its errors?</h2>{side_by_side([plot])}", [plot])


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
