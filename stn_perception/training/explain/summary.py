# SPDX-License-Identifier: Apache-2.0
"""The numbers of a page: truth against prediction, deviations, marks, what goes with errors."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.explain.observing import Observation
from stn_perception.training.explain.sensitivity import spearman
from stn_perception.training.explain.shape_of_quads import folded_angles, r_squared
from stn_perception.training.reliability import reliability

Array = NDArray[np.float64]

WRONG_OF_SIDE = 0.05
LIMITS = (0.01, 0.02, 0.03, 0.05, 0.1, 0.2)


@dataclass(frozen=True, eq=False)
class Pairs:
    """One part of the transforms, predicted and true, over all cases.

    Attributes:
        name: what it is, with its unit.
        predicted, true: N or N×K.
        logarithmic: whether it is a factor: compared and drawn by its logarithm.
    """

    name: str
    predicted: Array
    true: Array
    logarithmic: bool = False

    @property
    def r_squared(self) -> float:
        """Share of the truth's variance that is predicted, of the logarithm of a factor."""
        if self.logarithmic:
            return r_squared(np.log(self.predicted), np.log(self.true))
        return r_squared(self.predicted, self.true)

    @property
    def median_error(self) -> float:
        """Median absolute error; of a factor in percent."""
        if self.logarithmic:
            return 100 * float(np.median(np.abs(self.predicted / self.true - 1)))
        return float(np.median(np.abs(self.predicted - self.true)))


def transform_pairs(observations: Sequence[Observation]) -> list[Pairs]:
    """Return angle, scale, aspect, centre and corners of the cases with truth; may be empty."""
    known = [o for o in observations if o.shape and o.true_shape]
    if not known:
        return []
    found, true = [o.shape for o in known], [o.true_shape for o in known]

    def both(name: str) -> tuple[Array, Array]:
        return (
            np.array([getattr(each, name) for each in found]),
            np.array([getattr(each, name) for each in true]),
        )

    angles = folded_angles(*both("angle_deg"), np.array([o.symmetry for o in known]))
    return [
        Pairs("angle, °", *angles),
        Pairs("scale, of the box", *both("scale"), logarithmic=True),
        Pairs("width over height", *both("aspect"), logarithmic=True),
        Pairs("centre x and y, % of the box", *both("centre")),
        Pairs("corner x and y, % of the box", *both("corners")),
    ]


def drivers(observations: Sequence[Observation]) -> dict[str, Array]:
    """Return what may make a case hard, one value a case with a view (NaN: not measured)."""

    def of(name: str) -> Array:
        return np.array(
            [math.nan if o.quality is None else getattr(o.quality, name) for o in observations]
        )

    sizes = np.array([math.sqrt(o.box.area) for o in observations])
    return {
        "size of the box, px": sizes,
        "contrast along the outline, gray levels": of("contrast"),
        "blur along the outline, % of the box": 100 * of("blur_px") / sizes,
        "angle to the box's nearest axis, °": np.array(
            [_to_nearest_axis(o) for o in observations]
        ),
        "longer side over the opposite one": of("foreshortening"),
    }


def _to_nearest_axis(observation: Observation) -> float:
    shape = observation.true_shape or observation.shape
    return math.nan if shape is None else abs((shape.angle_deg + 45) % 90 - 45)


def badness(observations: Sequence[Observation]) -> tuple[Array, bool]:
    """Errors as shares of the side and True; predicted deviations and False without truth.

    NaN where a case has neither.
    """
    errors = np.array([_number(o.error_of_side) for o in observations])
    if np.isfinite(errors).any():
        return errors, True
    return np.array([_number(o.sigma_of_side) for o in observations]), False


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def page_numbers(observations: Sequence[Observation], seed: int) -> dict[str, Any]:
    """Return all numbers, for the page and for machines; what cannot be said is left out."""
    views = [o for o in observations if o.quad is not None]
    numbers: dict[str, Any] = {
        "cases": len(observations),
        "refused": dict(Counter(o.refused for o in observations if o.refused)),
        "with_truth": sum(o.truth is not None for o in observations),
    }
    errors, has_truth = badness(views)
    if has_truth:
        known = errors[np.isfinite(errors)]
        numbers["error_of_side"] = {
            "mean": float(known.mean()),
            "median": float(np.median(known)),
            "p95": float(np.percentile(known, 95)),
            "share_under_5_percent": float((known < WRONG_OF_SIDE).mean()),
        }
        numbers["transforms"] = [
            {
                "part": pair.name,
                "r_squared": pair.r_squared,
                "median_error": pair.median_error,
                "samples": len(pair.true),
            }
            for pair in transform_pairs(views)
        ]
    numbers |= _deviations(views, seed)
    numbers["goes_with_error" if has_truth else "goes_with_deviation"] = {
        name: spearman(values[both], errors[both])
        for name, values in drivers(views).items()
        if (both := np.isfinite(values) & np.isfinite(errors)).any()
    }
    named = [o for o in views if o.true_class]
    if named:
        numbers["classes"] = {
            "samples": len(named),
            "right": sum(o.class_id == o.true_class for o in named) / len(named),
            "confusions": [
                {"true": true, "said": said, "count": count}
                for (true, said), count in Counter(
                    (o.true_class, o.class_id) for o in named if o.class_id != o.true_class
                ).most_common(10)
            ],
        }
    return numbers


def _deviations(views: Sequence[Observation], seed: int) -> dict[str, Any]:
    """Reliability, and what marking at several limits would do."""
    known = [o for o in views if o.sigma is not None and o.corner_errors is not None]
    if len(known) < 2:
        return {}
    sides = np.array([_side_px(o) for o in known])[:, None]
    sigma = 100 * np.array([o.sigma for o in known]) / sides
    error = 100 * np.array([o.corner_errors for o in known]) / sides
    wrong = np.array([_number(o.error_of_side) > WRONG_OF_SIDE for o in known])
    shares = np.array([_number(o.sigma_of_side) for o in known])
    rows = []
    for limit in LIMITS:
        marked = shares > limit
        rows.append(
            {
                "limit": limit,
                "marked": float(marked.mean()),
                "wrong_of_marked": float(wrong[marked].mean()) if marked.any() else None,
                "marked_of_wrong": float(marked[wrong].mean()) if wrong.any() else None,
            }
        )
    return {
        "reliability": reliability(sigma, error, "all cases", "% of the side", seed),
        "marking": rows,
    }


def _side_px(observation: Observation) -> float:
    assert observation.truth is not None
    edges = np.roll(observation.truth, -1, axis=0) - observation.truth
    return float(np.linalg.norm(edges, axis=1).mean())
