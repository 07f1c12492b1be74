# SPDX-License-Identifier: Apache-2.0
"""Which transforms show a view of a plane, judged for many views at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stn_perception.geometry.arrays import FloatArray, as_matrix3
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.pixels import view_corners

_SMALLEST_AREA_PX = 1e-6
_SMALLEST_SHARE = 1e-9  # of the square of the view's extent
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
    transforms = frame_from_view
    mapped = transforms @ _homogeneous_corners(width, height)
    weights = mapped[:, 2]
    # w is linear, so the sum over the corners has the sign of w at the centre. Both signs of a
    # matrix are the same transform: judge it with the view's centre in front.
    behind = np.add.reduce(weights, axis=1) < 0
    if behind.any():
        signs = np.where(behind, -1.0, 1.0)
        transforms = transforms * signs[:, None, None]
        mapped = mapped * signs[:, None, None]
        weights = mapped[:, 2]
    lowest = np.minimum.reduce(weights, axis=1)
    in_front = lowest > _SINGULAR_RELATIVE * np.maximum.reduce(weights, axis=1)
    if not in_front.all():  # NaN is not in front either
        mapped = np.where(in_front[:, None, None], mapped, 1.0)
        weights = mapped[:, 2]
    quads = np.swapaxes(mapped[:, :2] / weights[:, None], 1, 2)
    diagonals = quads[:, 2:] - quads[:, :2]
    area = 0.5 * (
        diagonals[:, 0, 0] * diagonals[:, 1, 1] - diagonals[:, 0, 1] * diagonals[:, 1, 0]
    )
    # No side is longer than both diagonals together; the determinant has the area's sign. So a
    # view of an area well above zero needs no closer look.
    lengths = np.add.reduce(np.square(diagonals), axis=(1, 2))
    enough = np.maximum(_SMALLEST_AREA_PX, 2 * _SMALLEST_SHARE * lengths)
    fine = in_front & (area >= enough) & (area < np.inf)
    faults: dict[int, InvalidTransformError] = {}
    if not fine.all():
        _explain(transforms, in_front, quads, area, fine, faults)
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


@cache
def _homogeneous_corners(width: int, height: int) -> FloatArray:
    """3×4: the corners of a view as columns."""
    corners = np.vstack([view_corners(width, height).T, np.ones(4)])
    corners.flags.writeable = False
    return corners


def _explain(
    transforms: FloatArray,
    in_front: Mask,
    quads: FloatArray,
    area: FloatArray,
    fine: Mask,
    faults: dict[int, InvalidTransformError],
) -> None:
    """Look closely at views that are not plainly fine, and name what is wrong with them."""
    for place in np.flatnonzero(~fine).tolist():
        transform = transforms[place]
        if not np.isfinite(transform).all():
            fault = ("not_finite", "frame_from_view holds NaN or infinity")
        elif not in_front[place]:
            text = "frame_from_view folds behind the camera: w <= 0 within the view"
            fault = ("folded", text)
        else:
            found = _without_area(transform, quads[place], float(area[place]))
            if found is None:
                continue
            fault = found
        faults[place] = InvalidTransformError(*fault)


def _without_area(
    transform: FloatArray, quad: FloatArray, area_px2: float
) -> tuple[str, str] | None:
    determinant = float(np.linalg.det(transform / np.abs(transform).max()))
    if determinant == 0:
        return "singular", "frame_from_view is singular"
    if determinant < 0:
        return "mirrored", "frame_from_view mirrors the view"
    extent = float(np.ptp(quad, axis=0).max())
    if max(_SMALLEST_AREA_PX, _SMALLEST_SHARE * extent**2) <= area_px2 < np.inf:
        return None
    return "degenerate", f"the view covers {area_px2:.3g} square pixels of the frame"
