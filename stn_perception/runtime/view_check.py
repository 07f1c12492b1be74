# SPDX-License-Identifier: Apache-2.0
"""Which predicted views may be published."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.views import seen_views
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.view_coverage import valid_fractions

Matrix = NDArray[np.float64]

# A view of less than this many pixels of the frame has collapsed.
MIN_VIEW_AREA_PX = 4.0

_REASONS = {"degenerate": DropReason.ESCAPED}


class ViewRefused(ValueError):  # noqa: N818 - an outcome, not a fault
    """A view that is not published; ``reason`` is what to count."""

    def __init__(self, reason: DropReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, eq=False)
class CheckedViews:
    """N views and which of them are not published.

    Attributes:
        frame_from_view: N×3×3 in pixels, signed so that the views are in front of the camera.
        corners: N×4×2 pixels of the frame; of no meaning for views that are refused.
        refusals: Why a view is not published, by its place.
    """

    frame_from_view: Matrix
    corners: Matrix
    refusals: dict[int, ViewRefused]

    def at(self, kept: NDArray[np.intp]) -> CheckedViews:
        """Some of those that are published."""
        return CheckedViews(self.frame_from_view[kept], self.corners[kept], {})


def check_views(
    frame_from_view: Matrix,
    view_size: tuple[int, int],
    frame_sizes: Matrix,
    min_valid_fraction: float,
) -> CheckedViews:
    """Sign N transforms so that the views are in front of the camera, and say which are none.

    Refused are transforms that are not finite, and views that are mirrored, folded behind the
    camera, collapsed or escaped.

    Args:
        frame_from_view: N×3×3 in pixels.
        view_size: Width and height in pixels.
        frame_sizes: N×2, width and height of the frame of each view in pixels.
        min_valid_fraction: Share of a view that must show its frame; some of it must anyway.
    """
    seen = seen_views(frame_from_view, *view_size)
    refusals = {place: _refusal(fault) for place, fault in seen.faults.items()}
    for place in np.flatnonzero(seen.area_px2 < MIN_VIEW_AREA_PX).tolist():
        text = f"the view has collapsed to {seen.area_px2[place]:.3g} square pixels of the frame"
        refusals.setdefault(place, ViewRefused(DropReason.ESCAPED, text))
    if not refusals:
        shares = valid_fractions(seen.frame_from_view, seen.corners, *view_size, frame_sizes)
    else:
        kept = [place for place in range(len(frame_from_view)) if place not in refusals]
        shares = np.full(len(frame_from_view), np.inf)
        shares[kept] = valid_fractions(
            seen.frame_from_view[kept], seen.corners[kept], *view_size, frame_sizes[kept]
        )
    for place in np.flatnonzero((shares <= 0) | (shares < min_valid_fraction)).tolist():
        refusals[place] = ViewRefused(
            DropReason.ESCAPED,
            f"{shares[place]:.0%} of the view lies in the frame, "
            f"expected {min_valid_fraction:.0%}",
        )
    return CheckedViews(seen.frame_from_view, seen.corners, refusals)


def _refusal(fault: InvalidTransformError) -> ViewRefused:
    if fault.reason == "not_finite":
        message = "the predicted transform holds NaN or infinity"
        return ViewRefused(DropReason.NOT_FINITE, message)
    reason = _REASONS.get(fault.reason, DropReason.INVALID_TRANSFORM)
    refusal = ViewRefused(reason, str(fault))
    refusal.__cause__ = fault
    return refusal
