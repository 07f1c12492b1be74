# SPDX-License-Identifier: Apache-2.0
"""Score an oriented box archive: unseen bodies, pictures from the air, simulated grasps."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.refinement_gain import steps_that_pay
from stn_perception.training.reliability import reliability
from stn_perception.training.tabletop.aerial import read_aerial
from stn_perception.training.tabletop.classical import MASK_METHODS, on_otsu, on_true_mask
from stn_perception.training.tabletop.grasps import run_grasps
from stn_perception.training.tabletop.held_out import scored_sets
from stn_perception.training.tabletop.measuring import BoxErrors, measure_archive, measure_method
from stn_perception.training.tabletop.rows import (
    angle_defined,
    box_table,
    error_row,
    grasp_rows,
    grasp_table,
)
from stn_perception.training.tabletop.sample import BoxSample

# One simulated grasp for so many samples: each takes as long as hundreds of crops.
_SAMPLES_PER_GRASP = 5
_LEAST_GRASPS = 10

NOTE = (
    "Truth is the box along the principal axes of the whole object's convex outline, hidden parts "
    "included; of a label in a picture from the air, the labelled box. Angles are modulo 180° and "
    "of objects with an aspect from 1.25 on (below, the axes are too alike); centre and size are "
    "of all, centres in pixels of a 96 px crop of the box × 1.25. Partly hidden: 5 to 65 % of the "
    "object. Objects count whose tone differs from their surroundings' by 9 of 255 gray levels "
    "along 60 % of the rim that shows, before noise. The classical methods get the pixels that "
    "truly show the object in rendered scenes (no segmentation is that good; `moments of the "
    "outline` is the truth's own definition, so it is exact up to pixels where nothing is "
    "hidden), and Otsu's segmentation of the crop in real pictures. A grasp is a parallel "
    "gripper of 85 mm closing along the box's short side at its centre, with bodies "
    "scaled so that their narrowest width is 40 to 85 % of that; the axis-aligned box closes "
    "along its own shorter side; bodies that no angle can hold (wider than the gripper, flatter "
    "than 15 mm, taller than 1.6 times their width) are not tried. Training sees no real picture; "
    "that thermal ones are among those scored was known when its scenes were designed."
)


def score_tabletop(
    archive: ModelArchive, samples: int, seed: int, data: Path | None = None
) -> dict[str, Any]:
    """Score an archive of oriented boxes.

    Args:
        archive: the model.
        samples: how many rendered objects of which everything shows, and as many that are
            partly hidden, unseen in training; a fifth as many grasps.
        seed: of scenes, detections, grasps and the bootstrap.
        data: folder with labelled pictures from the air (see ``read_aerial``), or none.

    Returns:
        As every scorer (see ``training.scorers``): ``rows``, ``reliability`` and ``refinement``;
        ``bodies_drawn`` for the grasps and ``seconds``.

    Raises:
        ValueError: fewer than two samples are asked for.
        PhotographError: the folder has no pictures from the air.
    """
    if samples < 2:
        raise ValueError(f"samples is {samples}, expected at least 2")
    started = time.perf_counter()
    # Read first: a wrong folder must not cost minutes of rendering.
    aerial = {} if data is None else read_aerial(data, seed)
    rendered = scored_sets(seed, samples)
    rows: list[dict[str, Any]] = []
    diagrams, gains = [], []
    for name, found in (
        ("unseen objects", rendered.clear),
        ("unseen objects, partly hidden", rendered.hidden),
    ):
        by_steps = _by_steps(archive, found)
        rows += _model_rows(archive, name, found, by_steps, seed)
        rows += _classical_rows(name, found, on_true_mask, "true mask, ", seed)
        diagrams.append(_reliability(name, by_steps[archive.card.refinement_steps], found, seed))
        gains.append(_refinement(name, by_steps, found, seed))
    steps = archive.card.refinement_steps
    part = {steps: measure_archive(archive, rendered.hidden_visible, steps)}
    name = "partly hidden, boxes of what shows"
    rows += _model_rows(archive, name, rendered.hidden_visible, part, seed)
    for name, found in aerial.items():
        by_steps = _by_steps(archive, found)
        rows += _model_rows(archive, name, found, by_steps, seed)
        rows += _classical_rows(name, found, on_otsu, "Otsu, ", seed)
        diagrams.append(_reliability(name, by_steps[archive.card.refinement_steps], found, seed))
        gains.append(_refinement(name, by_steps, found, seed))
    grasps = run_grasps(archive, max(_LEAST_GRASPS, samples // _SAMPLES_PER_GRASP), seed)
    rows += grasp_rows(grasps, archive.card.name, seed)
    return {
        "model": archive.card.name,
        "version": archive.card.version,
        "weights_sha256": archive.card.weights_sha256,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 1),
        "bodies_drawn": grasps.drawn,
        "note": NOTE,
        "rows": rows,
        "reliability": diagrams,
        "refinement": gains,
    }


def tabletop_table(result: dict[str, Any]) -> str:
    """Return the rows of ``score_tabletop``'s result as Markdown."""
    boxes = [row for row in result["rows"] if "success" not in row]
    grasps = [row for row in result["rows"] if "success" in row]
    return "\n".join([*box_table(boxes), "", *grasp_table(grasps)])


def _by_steps(archive: ModelArchive, samples: Sequence[BoxSample]) -> dict[int, BoxErrors]:
    most = max(3, archive.card.refinement_steps)
    return {steps: measure_archive(archive, samples, steps) for steps in range(most + 1)}


def _model_rows(
    archive: ModelArchive,
    data: str,
    samples: Sequence[BoxSample],
    errors: dict[int, BoxErrors],
    seed: int,
) -> list[dict[str, Any]]:
    return [
        error_row(data, f"{archive.card.name}, {steps} refinement steps", samples, found, seed)
        | {"refinement_steps": steps}
        for steps, found in errors.items()
    ]


def _classical_rows(
    data: str,
    samples: Sequence[BoxSample],
    apply: Callable[..., Any],
    prefix: str,
    seed: int,
) -> list[dict[str, Any]]:
    rows = []
    for name, method in MASK_METHODS.items():
        errors = measure_method(samples, functools.partial(apply, method=method))
        rows.append(error_row(data, prefix + name, samples, errors, seed))
    return rows


def _answered(errors: BoxErrors) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(errors.sigmas).all(axis=1), dtype=np.bool_)


def _reliability(
    data: str, errors: BoxErrors, samples: Sequence[BoxSample], seed: int
) -> dict[str, Any]:
    """Corners' deviations in percent of the box's long side, so that sizes can be compared."""
    keep = _answered(errors)
    sides = np.array([2 * np.linalg.norm(s.truth.long_half) for s in samples])[:, None] / 100
    sigma, error = (errors.sigmas / sides)[keep], (errors.errors / sides)[keep]
    return reliability(sigma, error, data, "% of the long side", seed)


def _refinement(
    data: str, steps: dict[int, BoxErrors], samples: Sequence[BoxSample], seed: int
) -> dict[str, Any]:
    defined = angle_defined(samples)
    angles = {n: errors.angle_deg[defined] for n, errors in steps.items()}
    return steps_that_pay(angles, f"{data}, angle", "°", seed)
