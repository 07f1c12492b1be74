# SPDX-License-Identifier: Apache-2.0
"""How far each view is from the truth, for many views at once.

Prediction and truth are compared as they lie best among the quarter turns that ``symmetry``
allows; every error is of that one turn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.metrics.quad_overlap import quad_overlaps
from stn_perception.bags.metrics.view_columns import ViewColumns
from stn_perception.geometry.quads import (
    corner_errors_px,
    polygon_areas,
    quad_centers,
    quad_sides_px,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def per_view_metrics(views: ViewColumns) -> dict[str, Floats]:
    """Return each metric of single views by its name, N figures each, NaN where unknown.

    With truth: ``corner_error_px``, ``corner_error_of_side``, ``angle_error_deg``,
    ``scale_error``, ``centre_error_px`` and ``iou``. What the records carry: ``psnr_db``,
    ``ssim``, ``equivariance_error``, ``valid_fraction``. ``docs/metrics.md`` defines each.
    """
    errors_px, shifts = corner_errors_px(views.corners, views.truth, views.symmetry)
    truth = shifted(views.truth, shifts)
    return {
        "corner_error_px": errors_px,
        "corner_error_of_side": _ratio(errors_px, quad_sides_px(truth)),
        "angle_error_deg": angle_errors_deg(views.corners, truth),
        "scale_error": scale_errors(views.corners, truth),
        "centre_error_px": _lengths(quad_centers(views.corners) - quad_centers(truth)),
        "iou": quad_overlaps(views.corners, truth),
        "psnr_db": views.psnr_db,
        "ssim": views.ssim,
        "equivariance_error": views.equivariance_error,
        "valid_fraction": views.valid_fraction,
    }


def corner_errors_of_side(views: ViewColumns, symmetry: Integers) -> Floats:
    """The corner error as a share of the side up to other turns than the views' own.

    Args:
        views: N views.
        symmetry: N numbers of poses that count as right.
    """
    errors_px, shifts = corner_errors_px(views.corners, views.truth, symmetry)
    return _ratio(errors_px, quad_sides_px(shifted(views.truth, shifts)))


def shifted(quads: Floats, shifts: Integers) -> Floats:
    """N×4×2 quads whose corner i is corner ``i + shift`` of the given ones, N shifts."""
    places = (np.arange(4) + shifts[:, None]) % 4
    return np.asarray(np.take_along_axis(quads, places[..., None], axis=1))


def angle_errors_deg(predicted: Floats, true: Floats) -> Floats:
    """Angle, 0 to 180°, of the similarity that best takes N true quads to N predicted ones.

    In the least squares of the corners (Umeyama 1991, in the plane): with corners as complex
    numbers about their mean, the argument of the sum of conj(true)·predicted.
    """
    a, b = _complex(true), _complex(predicted)
    return np.asarray(np.abs(np.angle((a.conj() * b).sum(axis=1), deg=True)))


def scale_errors(predicted: Floats, true: Floats) -> Floats:
    """|ln of the ratio of the square roots of the areas| of N pairs; NaN without an area."""
    areas = polygon_areas(predicted), polygon_areas(true)
    known = (areas[0] > 0) & (areas[1] > 0)
    ratio = np.divide(areas[0], areas[1], out=np.full(len(known), np.nan), where=known)
    return np.asarray(0.5 * np.abs(np.log(ratio)))


def _ratio(values: Floats, by: Floats) -> Floats:
    return np.asarray(np.divide(values, by, out=np.full(len(by), np.nan), where=by != 0))


def _lengths(vectors: Floats) -> Floats:
    return np.asarray(np.hypot(vectors[..., 0], vectors[..., 1]))


def _complex(quads: Floats) -> NDArray[np.complex128]:
    numbers = quads[..., 0] + 1j * quads[..., 1]
    return np.asarray(numbers - numbers.mean(axis=1, keepdims=True))
