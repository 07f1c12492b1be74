# SPDX-License-Identifier: Apache-2.0
"""Which transforms show a view of a plane, judged for many views at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stn_perception.geometry.arrays import FloatArray, as_matrix3
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.pixels import view_corners

_SMALLEST_AREA_PX = 1e-6
_SINGULAR_RELATIVE = 1e-12
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SeenViews:
    """N views of a frame, and why some of them show none.

    Attributes:
        frame_from_view: N×3×3 in pixels, signed so that w > 0 at the views' centres.
        corners: N×4×2 pixels of the frame; of no meaning for faulty views.
        area_px2: Area of each in the frame, (N,); of no meaning for faulty views.
        faults: What is wrong with a view, by its place.
    """

    frame_from_view: FloatArray
    corners: FloatArray
    area_px2: FloatArray
    faults: dict[int, InvalidTransformError] = field(default_factory=dict)


def seen_views(frame_from_view: FloatArray, width: int, height: int) -> SeenViews:
    """Judge N×3×3 transforms, N >= 0, as ``check_view_transform`` does.

    Args:
        frame_from_view: N×3×3 in pixels.
        width: Of every view in pixels.
        height: See above.
    """
    finite: Mask = np.logical_and.reduce(np.isfinite(frame_from_view), axis=(1, 2))
    transforms = frame_from_view
    if not finite.all():
        transforms = np.where(finite[:, None, None], transforms, np.eye(3))
    corners = view_corners(width, height)
    mapped = corners @ np.swapaxes(transforms[..., :2], 1, 2) + transforms[:, None, :, 2]
    weights = mapped[:, :, 2]
    # w is linear, so the mean over the corners is w at the centre. Both signs of a matrix are the
    # same transform: judge it with the view's centre in front.
    behind = np.add.reduce(weights, axis=1) < 0
    if behind.any():
        signs = np.where(behind, -1.0, 1.0)
        transforms = transforms * signs[:, None, None]
        weights = weights * signs[:, None]
        mapped = mapped * signs[:, None, None]
    lowest = np.minimum.reduce(weights, axis=1)
    folded = lowest <= _SINGULAR_RELATIVE * np.maximum.reduce(weights, axis=1)
    if folded.any():
        weights = np.where(folded[:, None], 1.0, weights)
    quads = mapped[..., :2] / weights[..., None]
    diagonals = quads[:, 2:] - quads[:, :2]
    area = 0.5 * (
        diagonals[:, 0, 0] * diagonals[:, 1, 1] - diagonals[:, 0, 1] * diagonals[:, 1, 0]
    )
    faults: dict[int, InvalidTransformError] = {}
    extent = np.maximum.reduce(quads, axis=1) - np.minimum.reduce(quads, axis=1)
    smallest = np.maximum(_SMALLEST_AREA_PX, 1e-9 * np.square(extent.max(axis=1)))
    # The determinant's sign is that of a view's area, so an area above zero settles both.
    fine = finite & ~folded & (area >= smallest)
    if not fine.all():
        _explain(transforms, finite, folded, area, fine, faults)
    return SeenViews(transforms, quads, area, faults)


def check_view_transform(frame_from_view: ArrayLike, width: int, height: int) -> None:
    """Raise InvalidTransformError unless the transform shows a W × H view of a plane.

    Refused (``reason``): ``not_finite``; ``folded``: w <= 0 somewhere in the view, which folds
    points from behind the camera into the picture; ``mirrored``: the view would be read from
    behind; ``singular`` and ``degenerate``: the view covers no area of the frame.
    """
    matrix = as_matrix3(frame_from_view, "frame_from_view")
    for fault in seen_views(matrix[None], width, height).faults.values():
        raise fault


def _explain(
    transforms: FloatArray,
    finite: Mask,
    folded: Mask,
    area: FloatArray,
    fine: Mask,
    faults: dict[int, InvalidTransformError],
) -> None:
    scale = np.abs(transforms).max(axis=(1, 2))[:, None, None]
    determinant = np.linalg.det(transforms / np.where(scale > 0, scale, 1.0))
    found: list[tuple[str, Callable[[int], bool], str]] = [
        ("not_finite", lambda at: not finite[at], "frame_from_view holds NaN or infinity"),
        (
            "folded",
            lambda at: bool(folded[at]),
            "frame_from_view folds behind the camera: w <= 0 within the view",
        ),
        ("singular", lambda at: determinant[at] == 0, "frame_from_view is singular"),
        ("mirrored", lambda at: determinant[at] < 0, "frame_from_view mirrors the view"),
    ]
    for place in np.flatnonzero(~fine).tolist():
        for reason, holds, message in found:
            if holds(place):
                faults[place] = InvalidTransformError(reason, message)
                break
        else:
            faults[place] = InvalidTransformError(
                "degenerate", f"the view covers {area[place]:.3g} square pixels of the frame"
            )
