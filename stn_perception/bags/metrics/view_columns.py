# SPDX-License-Identifier: Apache-2.0
"""View records as columns, in an order that does not depend on theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.records import ViewRecord

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]
Texts = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class ViewColumns:
    """N views, one row each; a number that a record lacks is NaN.

    Attributes:
        bag, camera, model, object_id, class_id, truth_id: As in ``ViewRecord``, N texts.
        thing: What the view shows: the true object's id, else the upstream one, else its track.
        frame, stamp_ns, track_id, symmetry: As in ``ViewRecord``.
        corners: N×4×2 px.
        box: N×5.
        truth: N×4×2 px.
        score, valid_fraction, corner_sigma_px, distance_m, sharpness, equivariance_error,
            psnr_db, ssim: As in ``ViewRecord``.
        is_uncertain: N.
    """

    bag: Texts
    camera: Texts
    model: Texts
    object_id: Texts
    class_id: Texts
    truth_id: Texts
    thing: Texts
    frame: Integers
    stamp_ns: Integers
    track_id: Integers
    symmetry: Integers
    corners: Floats
    box: Floats
    truth: Floats
    score: Floats
    valid_fraction: Floats
    corner_sigma_px: Floats
    distance_m: Floats
    sharpness: Floats
    equivariance_error: Floats
    psnr_db: Floats
    ssim: Floats
    is_uncertain: Mask

    def __len__(self) -> int:
        """Return how many views there are."""
        return len(self.frame)

    def where(self, chosen: Mask | Integers) -> ViewColumns:
        """Return the chosen rows."""
        return ViewColumns(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def in_order(views: Sequence[ViewRecord]) -> list[ViewRecord]:
    """Return views by model, bag, camera, frame, object and place, whatever order they have."""
    return sorted(views, key=_place)


def view_columns(views: Sequence[ViewRecord]) -> ViewColumns:
    """Return views as columns; rows are in the order of ``in_order``."""
    rows = in_order(views)
    nowhere = np.full((4, 2), np.nan)

    def texts(name: str) -> Texts:
        return np.array([getattr(row, name) for row in rows], dtype=np.str_)

    def integers(name: str) -> Integers:
        return np.array([getattr(row, name) for row in rows], dtype=np.int64)

    def floats(name: str) -> Floats:
        # An array of this type turns None into NaN.
        return np.array([getattr(row, name) for row in rows], dtype=np.float64)

    truth = [nowhere if row.truth is None else row.truth for row in rows]
    names = ("bag", "camera", "model", "object_id", "class_id", "truth_id")
    numbers = ("score", "valid_fraction", "corner_sigma_px", "distance_m", "sharpness")
    qualities = ("equivariance_error", "psnr_db", "ssim")
    columns: dict[str, Any] = {name: texts(name) for name in names}
    columns |= {n: integers(n) for n in ("frame", "stamp_ns", "track_id", "symmetry")}
    columns |= {name: floats(name) for name in (*numbers, *qualities)}
    return ViewColumns(
        **columns,
        thing=np.array([thing_of(row) for row in rows], dtype=np.str_),
        corners=floats("corners").reshape(-1, 4, 2),
        box=floats("box").reshape(-1, 5),
        truth=np.array(truth, dtype=np.float64).reshape(-1, 4, 2),
        is_uncertain=np.array([row.is_uncertain for row in rows], dtype=np.bool_),
    )


def thing_of(view: ViewRecord) -> str:
    """Return what a view shows: the true object's id, else the upstream one, else its track."""
    return view.truth_id or view.object_id or f"track {view.track_id}"


def _place(view: ViewRecord) -> tuple[Any, ...]:
    where = (view.model, view.bag, view.camera, view.frame, view.stamp_ns)
    what = (view.object_id, view.track_id, *view.box.tolist(), *view.corners.ravel().tolist())
    return (*where, *what)
