# SPDX-License-Identifier: Apache-2.0
"""Which predicted views may be published."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import InvalidTransformError, check_view_transform
from stn_perception.geometry.pixels import view_center
from stn_perception.geometry.quads import polygon_area, view_quad
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.view_coverage import valid_fraction

Matrix = NDArray[np.float64]

# A view of less than this many pixels of the frame has collapsed.
MIN_VIEW_AREA_PX = 4.0

_REASONS = {"not_finite": DropReason.NOT_FINITE, "degenerate": DropReason.ESCAPED}


class ViewRefused(ValueError):  # noqa: N818 - an outcome, not a fault
    """A view that is not published; ``reason`` is what to count."""

    def __init__(self, reason: DropReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def in_front_of_camera(frame_from_view: Matrix, width: int, height: int) -> Matrix:
    """The same transform with the sign that makes w > 0 at the view's centre."""
    transform = np.asarray(frame_from_view, dtype=np.float64)
    weight = transform[2, :2] @ view_center(width, height) + transform[2, 2]
    return -transform if weight < 0 else transform


def check_view(
    frame_from_view: Matrix,
    view_size: tuple[int, int],
    frame_size: tuple[int, int],
    min_valid_fraction: float,
) -> Matrix:
    """The transform, signed so that the view is in front of the camera.

    Args:
        frame_from_view: 3×3 in pixels.
        view_size: Width and height in pixels.
        frame_size: Width and height in pixels.
        min_valid_fraction: Share of the view that must show the frame; some of it must anyway.

    Raises:
        ViewRefused: Not finite, mirrored, folded behind the camera, collapsed or escaped.
    """
    if not np.isfinite(frame_from_view).all():
        raise ViewRefused(DropReason.NOT_FINITE, "the predicted transform holds NaN or infinity")
    transform = in_front_of_camera(frame_from_view, *view_size)
    try:
        check_view_transform(transform, *view_size)
    except InvalidTransformError as error:
        reason = _REASONS.get(error.reason, DropReason.INVALID_TRANSFORM)
        raise ViewRefused(reason, str(error)) from error
    area = polygon_area(view_quad(transform, *view_size))
    if area < MIN_VIEW_AREA_PX:
        raise ViewRefused(
            DropReason.ESCAPED, f"the view has collapsed to {area:.3g} square pixels of the frame"
        )
    share = valid_fraction(transform, *view_size, *frame_size)
    if share <= 0 or share < min_valid_fraction:
        raise ViewRefused(
            DropReason.ESCAPED,
            f"{share:.0%} of the view lies in the frame, expected {min_valid_fraction:.0%}",
        )
    return transform
