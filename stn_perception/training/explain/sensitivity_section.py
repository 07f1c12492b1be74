# SPDX-License-Identifier: Apache-2.0
"""The page's section on what moves the predicted transform."""

from __future__ import annotations

import html
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.explain.html_parts import (
    PREDICTED_COLOR,
    crop_picture,
    enlarged,
    heat,
    outlined,
    paragraph,
    table,
)
from stn_perception.training.explain.object_regions import REGIONS
from stn_perception.training.explain.observing import Observation
from stn_perception.training.explain.sensitivity import Map
from stn_perception.training.explain.what_moves import MAP_REACH, Explained, Sensitivity

_WIDTH = 150


def sensitivity_section(
    sensitivity: Sensitivity, examples: Sequence[Observation], cases: int, side_px: int
) -> str:
    """Draw mean maps, shares by region and single crops.

    Args:
        sensitivity: measured on the crops of ``cases`` cases.
        examples: the cases whose maps were kept, in their order.
        cases: how many were measured.
        side_px: of the hidden squares.
    """
    return "".join(
        [
            "<h2>What moves it</h2>",
            paragraph(_method(sensitivity, cases, side_px)),
            _means(sensitivity),
            _shares(sensitivity),
            "<h3>Single crops</h3>",
            '<div class="cards">',
            *(_example(o, e) for o, e in zip(examples, sensitivity.examples, strict=True)),
            "</div>",
        ]
    )


def _method(sensitivity: Sensitivity, cases: int, side_px: int) -> str:
    hidden = (
        f"squares of {side_px} px of the crop are replaced by the blurred crop, one after "
        "another, and the mean movement of the predicted corners is drawn"
    )
    first = f"On the first crop of {cases} cases, before any refinement. "
    if sensitivity.why_no_gradient:
        return (
            f"{first}Shown is occlusion alone: {hidden}. Gradients cannot be shown for this "
            f"archive: {sensitivity.why_no_gradient}"
        )
    return (
        f"{first}Gradient: how far the predicted corners move per gray level of each pixel (the "
        "root of the summed squares over the eight corner coordinates), through the archive's "
        f"own program. Occlusion, which needs no gradient, checks it: {hidden}."
    )


def _means(sensitivity: Sensitivity) -> str:
    maps = [("gradient", sensitivity.mean_gradient), ("occlusion", sensitivity.mean_hidden)]
    figures = []
    for name, weights in maps:
        if weights is None:
            continue
        size = len(weights)
        low, high = (1 - 1 / MAP_REACH) * size / 2 - 0.5, (1 + 1 / MAP_REACH) * size / 2 - 0.5
        square = np.array([(low, low), (high, low), (high, high), (low, high)])
        drawing = outlined(
            enlarged(heat(weights), 3), [(3 * square + 1, "#fff", "6 6")], 210, f"mean {name} map"
        )
        figures.append(
            f"<figure>{drawing}<figcaption>{name}, mean in the view's own axes (dashed: the "
            "view's edge)</figcaption></figure>"
        )
    return f'<div class="cards">{"".join(figures)}</div>'


def _shares(sensitivity: Sensitivity) -> str:
    columns = [
        ("gradient", sensitivity.gradient_shares),
        ("occlusion", sensitivity.hidden_shares),
        ("area", sensitivity.area_shares),
    ]
    known = [(name, shares) for name, shares in columns if shares is not None]
    rows = [
        (region, *(f"{100 * shares[region]:.0f} %" for _, shares in known)) for region in REGIONS
    ]
    return paragraph(
        "Shares by where a pixel lies in the predicted object; the last column is what they would "
        "be if every pixel mattered the same."
    ) + table(("where", *(name for name, _ in known)), rows)


def _example(observation: Observation, explained: Explained) -> str:
    crop = crop_picture(observation.crop)
    gray = crop
    if crop.ndim == 3:
        gray = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    maps: list[tuple[str, Map]] = (
        [] if explained.gradient is None else [("gradient", explained.gradient)]
    )
    maps.append(("occlusion", explained.hidden.shift_px))
    quad = [(2 * explained.quad + 0.5, PREDICTED_COLOR, "")]
    pictures = [outlined(enlarged(crop, 2), quad, _WIDTH, "the crop")]
    pictures += [
        outlined(enlarged(heat(_smooth(weights), gray), 2), quad, _WIDTH, f"{name} over the crop")
        for name, weights in maps
    ]
    lines = [observation.name, f"crop, {', '.join(name for name, _ in maps)}"]
    if explained.agreement is not None:
        lines.append(f"rank correlation of both {explained.agreement:+.2f}")
    caption = "<br>".join(html.escape(line) for line in lines)
    return f"<figure><div>{''.join(pictures)}</div><figcaption>{caption}</figcaption></figure>"


def _smooth(weights: Map) -> NDArray[np.float64]:
    """Blur a little: single pixels of a gradient are noise to the eye."""
    return np.asarray(cv2.GaussianBlur(weights, (0, 0), 0.8), dtype=np.float64)
