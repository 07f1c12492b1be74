# SPDX-License-Identifier: Apache-2.0
"""The worst views, each with its part of the frame and what it shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.measuring import measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.bags.metrics.view_columns import in_order, thing_of
from stn_perception.bags.pictures import jpeg
from stn_perception.bags.report.bag_names import short_names
from stn_perception.bags.report.plots import text
from stn_perception.bags.report.worst import Picture, WorstView, badness


def worst_section(evaluation: Evaluation, worst: Sequence[WorstView]) -> str:
    """Return the worst views with their pictures as HTML; nothing where there is none."""
    found = measured(evaluation)
    name = badness(found)
    if name is None or not worst:
        return ""
    metric = METRICS[name]
    rows = {id(view): row for row, view in enumerate(in_order(evaluation.views))}
    several = len(evaluation.models) > 1
    values = [metric.text(float(found.values[name][rows[id(one.record)]])) for one in worst]
    names = short_names(evaluation)
    cards = [
        _card(f"{rank}. {value}", one, names[one.record.bag], several)
        for rank, (one, value) in enumerate(zip(worst, values, strict=True), 1)
    ]
    turns = "; the models take turns" if several else ""
    return (
        f"<h2>The worst {len(worst)} views</h2><p>By the {text(metric.title)}; of one object in "
        f"one second only the worst as long as there are others{turns}. "
        '<span class="predicted">Green: where the view lies</span>, its top edge thick; '
        '<span class="true">pink: the truth</span>. Beside it the view.</p>'
        f'<div class="worst">{"".join(cards)}</div>'
    )


def _card(title: str, one: WorstView, bag: str, several_models: bool) -> str:
    record = one.record
    model = f"{record.model}, " if several_models else ""
    uncertain = ", marked uncertain" if record.is_uncertain else ""
    place = f"{model}{bag}, {record.camera}, frame {record.frame}{uncertain}"
    pictures = _image(one.overlay, "the frame with both outlines")
    if one.view is not None:
        pictures += _image(one.view, "the view")
    return (
        f'<figure class="card"><div class="pictures">{pictures}</div><figcaption>'
        f"<b>{text(title)}</b> {text(thing_of(record))}<br>{text(place)}</figcaption></figure>"
    )


def _image(picture: Picture, alt: str) -> str:
    data = base64.b64encode(jpeg(np.ascontiguousarray(picture))).decode("ascii")
    height, width = picture.shape[:2]
    size = f'width="{width}" height="{height}"'
    return f'<img alt="{alt}" {size} src="data:image/jpeg;base64,{data}">'
