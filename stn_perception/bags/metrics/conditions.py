# SPDX-License-Identifier: Apache-2.0
"""Under what conditions a view was made, and bins of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.view_columns import ViewColumns
from stn_perception.geometry.quads import quad_sides_px

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Bins of equal count, where there are so many views for each.
BINS = 4
FEWEST_IN_BIN = 10
TURN_EDGES_DEG = (0.0, 15.0, 45.0, 90.0, 135.0, 180.0)


@dataclass(frozen=True, eq=False)
class Binned:
    """Views in bins of one condition.

    Attributes:
        title: The condition, with its unit.
        labels: One per bin.
        places: N numbers of bins, -1 where the condition is unknown.
    """

    title: str
    labels: tuple[str, ...]
    places: Integers


def binned_conditions(views: ViewColumns) -> dict[str, Binned]:
    """Return the bins of each condition by its name; conditions with one bin are left out.

    Size, sharpness and distance are cut at the quartiles over all views of all models, the turn
    at fixed angles.
    """
    found = {
        "size_px": _by_count(sizes_px(views), "size in the frame", " px"),
        "sharpness": _by_count(views.sharpness, "sharpness (variance of the Laplacian)", ""),
        "turn_deg": _at_edges(turns_deg(views), TURN_EDGES_DEG, "turn in the image", "°"),
        "distance_m": _by_count(views.distance_m, "distance", " m"),
    }
    return {name: binned for name, binned in found.items() if len(binned.labels) > 1}


def sizes_px(views: ViewColumns) -> Floats:
    """Mean side of the true outline, or the root of the box's area where there is no truth."""
    of_box = np.sqrt(np.abs(views.box[:, 2] * views.box[:, 3]))
    of_truth = quad_sides_px(views.truth)
    return np.where(np.isfinite(of_truth), of_truth, of_box)


def turns_deg(views: ViewColumns) -> Floats:
    """How far the object's x axis is turned in the image, 0 to 180° (90° or 45° by symmetry).

    Of the true outline, else of the view.
    """
    known = np.isfinite(views.truth).all(axis=(1, 2), keepdims=True)
    quads = np.where(known, views.truth, views.corners)
    axis = quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]
    period = 360.0 / views.symmetry
    turn = np.degrees(np.arctan2(axis[:, 1], axis[:, 0]))
    return np.asarray(np.abs((turn + period / 2) % period - period / 2))


def _by_count(values: Floats, title: str, unit: str) -> Binned:
    known = values[np.isfinite(values)]
    bins = min(BINS, len(known) // FEWEST_IN_BIN)
    if bins < 2:
        return Binned(title, (), np.full(len(values), -1))
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1), method="inverted_cdf"))
    if len(edges) < 2:  # the same everywhere
        return Binned(title, (), np.full(len(values), -1))
    return _at_edges(values, tuple(edges.tolist()), title, unit)


def _at_edges(values: Floats, edges: tuple[float, ...], title: str, unit: str) -> Binned:
    """Bins from each edge to below the next, the last one with its end; empty ones left out."""
    inner = np.array(edges[1:-1])
    places = np.where(np.isfinite(values), np.searchsorted(inner, values, side="right"), -1)
    filled = np.unique(places[places >= 0])
    ends = [f"{edge:.3g}" if abs(edge) < 1000 else f"{edge:.0f}" for edge in edges]
    labels = tuple(f"{ends[k]} to {ends[k + 1]}{unit}" for k in filled)
    number = np.full(len(edges) + 1, -1)
    number[filled] = np.arange(len(filled))
    return Binned(title, labels, number[places])
