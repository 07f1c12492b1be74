# SPDX-License-Identifier: Apache-2.0
"""The page's sections on predictions, deviations and failures."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stn_perception.training.charts import svg
from stn_perception.training.explain.figures import driver_chart, pair_chart, prediction_chart
from stn_perception.training.explain.html_parts import image, paragraph, scene_drawing, table
from stn_perception.training.explain.observing import Observation
from stn_perception.training.explain.summary import badness, drivers, transform_pairs
from stn_perception.training.reliability import reliability_svg

WORST = 20
# A recording shows the same object again and again.
OF_ONE = 3


def prediction_section(views: Sequence[Observation], numbers: Mapping[str, Any]) -> str:
    """What transform is predicted, against truth where it is known."""
    head = "<h2>What it predicts</h2>"
    pairs = transform_pairs(views)
    if not pairs:
        chart = prediction_chart(views)
        text = "No truth is known here: only what is predicted can be shown."
        return head + paragraph(text) + (svg([chart]) if chart else "")
    turns = (
        " Poses by quarter turns that look alike count as the same: the nearest is taken."
        if max(o.symmetry for o in views) > 1
        else ""
    )
    rows = [
        (
            part["part"],
            str(part["samples"]),
            _figure(part["r_squared"], "{:.4f}"),
            f"{part['median_error']:.2f}" + (" %" if pair.logarithmic else ""),
        )
        for part, pair in zip(numbers["transforms"], pairs, strict=True)
    ]
    return (
        head
        + paragraph(
            "The view's transform as numbers, relative to the box that was given: predicted over "
            f"true. R² is 1 where all is predicted and 0 where the mean would do as well.{turns}"
        )
        + svg([pair_chart(pair) for pair in pairs], columns=3)
        + table(("part", "cases", "R²", "median error"), rows)
    )


def deviation_section(numbers: Mapping[str, Any]) -> str:
    """Whether the predicted deviations hold, and what marking by them would do."""
    if "reliability" not in numbers:
        return ""
    rows = [
        (
            f"{100 * row['limit']:g} %",
            _percent(row["marked"]),
            _percent(row["wrong_of_marked"]),
            _percent(row["marked_of_wrong"]),
        )
        for row in numbers["marking"]
    ]
    return (
        "<h2>How sure it is, and rightly</h2>"
        + paragraph(
            "Predicted standard deviations of the corners against the errors that happened, in "
            "bins of equal count, and the shares of errors within so many deviations beside the "
            "normal law's."
        )
        + reliability_svg([numbers["reliability"]])
        + paragraph(
            "What marking would do: the node marks views whose deviation is above the parameter "
            "uncertain_corner_sigma and drops those above max_corner_sigma, both a share of the "
            "object's side. Wrong is a corner error of 5 % of the side or more."
        )
        + table(("limit", "views marked", "of these wrong", "of the wrong ones marked"), rows)
    )


def failure_section(observations: Sequence[Observation], numbers: Mapping[str, Any]) -> str:
    """What goes with errors, and the worst cases."""
    views = [o for o in observations if o.quad is not None]
    values, has_truth = badness(views)
    charts = [
        chart
        for name, hardness in drivers(views).items()
        if (chart := driver_chart(name, hardness, values, has_truth)) is not None
    ]
    kind = "Errors" if has_truth else "Without truth: predicted deviations"
    parts = [
        "<h2>Where it fails</h2>",
        paragraph(f"{kind} over what may make a case hard; black: medians of bins."),
        svg(charts, columns=3) if charts else paragraph("There are too few cases to draw."),
        _classes(numbers),
    ]
    refused = [o for o in observations if o.quad is None]
    order = np.argsort(-np.where(np.isfinite(values), values, -1), kind="stable")
    ranked = [*refused, *(views[i] for i in order if np.isfinite(values[i]))]
    worst = _not_all_of_one(ranked)[:WORST]
    if worst:
        by = "error" if has_truth else "predicted deviation"
        legend = "orange the view's outline, its top edge thick" + (
            "; green the truth" if has_truth else ""
        )
        parts += [
            f"<h3>The {len(worst)} worst by {by}</h3>",
            paragraph(
                f"Gray the box, {legend}. Beside it the view as the model would have it. "
                f"At most {OF_ONE} of one object; {len(refused)} of {len(observations)} cases "
                "gave no view."
            ),
            f'<div class="cards">{"".join(_card(o) for o in worst)}</div>',
        ]
    return "".join(parts)


def _not_all_of_one(ranked: Sequence[Observation]) -> list[Observation]:
    """Leave out further cases of objects that were there often enough."""
    seen: Counter[str] = Counter()
    kept = []
    for observation in ranked:
        seen[observation.object_id] += 1
        if not observation.object_id or seen[observation.object_id] <= OF_ONE:
            kept.append(observation)
    return kept


def _classes(numbers: Mapping[str, Any]) -> str:
    if "classes" not in numbers:
        return ""
    found = numbers["classes"]
    text = f"Classes: {_percent(found['right'])} of {found['samples']} are right."
    rows = [(row["true"], row["said"], str(row["count"])) for row in found["confusions"]]
    return paragraph(text) + (table(("true", "said", "cases"), rows) if rows else "")


def _card(observation: Observation) -> str:
    lines = [observation.name]
    if observation.refused:
        lines.append(f"no view: {observation.refused}")
    if observation.error_of_side is not None:
        lines.append(f"error {100 * observation.error_of_side:.1f} % of the side")
    if observation.sigma_of_side is not None:
        lines.append(f"predicted σ {100 * observation.sigma_of_side:.1f} %")
    if observation.class_id:
        true = observation.true_class
        wrong = f", truly {true}" if true and true != observation.class_id else ""
        lines.append(f"{observation.class_id} ({observation.score:.2f}){wrong}")
    view = "" if observation.view is None else image(observation.view, "its view", 96)
    caption = "<br>".join(html.escape(line) for line in lines)
    return (
        f"<figure><div>{scene_drawing(observation)}{view}</div>"
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _figure(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else "–"
