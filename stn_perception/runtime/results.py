# SPDX-License-Identifier: Apache-2.0
"""What comes out of the pipeline: canonical objects, and why the others are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import PlanarPoseEstimate
from stn_perception.geometry.boxes import OrientedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.virtual_camera import VirtualCamera
from stn_perception.messages.encodings import ColorOrder
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class DroppedRegion:
    """A box that led to no object.

    Attributes:
        index: Its place in the request's regions.
        id: The upstream detection's id.
        reason: What to count.
        detail: One sentence with the values.
    """

    index: int
    id: str
    reason: DropReason
    detail: str


@dataclass(frozen=True, eq=False)
class ViewEstimate:
    """The network's answer for one box, before tracking.

    Attributes:
        index: Place of the region in the request's regions.
        region: The box.
        frame_from_view: 3×3 in pixels, for the view size of the prediction.
        class_id, score: The network's class where it has one, else the detection's.
        corner_covariance: 8×8 in square frame pixels (x, y of TL, TR, BR, BL), or None.
        corner_sigma_of_side: RMS deviation of a corner coordinate as a share of the object's
            side, or None.
    """

    index: int
    region: Region
    frame_from_view: Matrix
    class_id: str
    score: float
    corner_covariance: Matrix | None = None
    corner_sigma_of_side: float | None = None


@dataclass(frozen=True, eq=False)
class Prediction:
    """Steps 1-3 for one request; a pure function of request, settings and model.

    Attributes:
        view_width, view_height: Size that every ``frame_from_view`` is for.
        symmetry: The card's, needed to keep turns continuous.
        object_size_m: Width and height per class ('' for every other class), the settings'
            before the card's.
        estimates: One per usable region, in the request's order.
        dropped: One per other region.
        stage_s: Seconds per stage, of the whole batch.
    """

    view_width: int
    view_height: int
    symmetry: int
    object_size_m: Mapping[str, tuple[float, float]]
    estimates: tuple[ViewEstimate, ...] = ()
    dropped: tuple[DroppedRegion, ...] = ()
    stage_s: Mapping[str, float] = field(default_factory=dict)

    def sizes_m(self, class_id: str) -> tuple[tuple[float, float], ...]:
        """Widths and heights in metres that a class may have along the view's x and y.

        None where the size is unknown. Two where any of the four sides may be up in the view
        (symmetry 4) and they differ.
        """
        size = self.object_size_m.get(class_id) or self.object_size_m.get("")
        if size is None:
            return ()
        width, height = size
        return (size, (height, width)) if self.symmetry == 4 and width != height else (size,)


@dataclass(frozen=True, eq=False)
class CanonicalObject:
    """One object with its virtual camera.

    Attributes:
        region: The box it came from.
        track_id: Number of its track, unique per camera since the last reset.
        slot: Its slot, or None when all were taken.
        frame_from_view: 3×3 in pixels (smoothed, turned and skew-free as the settings say).
        view_width, view_height: Size of the view in pixels.
        class_id, score: The network's class where it has one, else the detection's.
        valid_fraction: Share of the view inside the frame.
        corner_sigma_px: RMS deviation of a corner coordinate in the frame, or None.
        corner_covariance: 8×8 in square frame pixels (x, y of TL, TR, BR, BL), or None.
        is_uncertain: Whether the predicted deviation is above ``uncertain_corner_sigma``.
        oriented_box: Of the view in the frame, by the Jacobian at the view's centre.
        virtual_camera: The view as a camera.
        pose: Of the object's plane in the optical frame; None for an uncalibrated camera.
        view: uint8 in the frame's colour order, or None where nobody asked for it.
        color: Colour order of ``view``.
        depth_view: float32 metres along the view's z axis (NaN unknown), or None.
        depth_encoding: Encoding that ``depth_view`` is published in; '' without one.
    """

    region: Region
    track_id: int
    slot: int | None
    frame_from_view: Matrix
    view_width: int
    view_height: int
    class_id: str
    score: float
    valid_fraction: float
    corner_sigma_px: float | None
    corner_covariance: Matrix | None
    oriented_box: OrientedBox
    virtual_camera: VirtualCamera
    pose: PlanarPoseEstimate | None
    view: NDArray[np.uint8] | None
    color: ColorOrder
    depth_view: NDArray[np.float32] | None = None
    depth_encoding: str = ""
    is_uncertain: bool = False


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Everything about one frame.

    Attributes:
        camera, stamp_ns, frame_id, width, height: The frame's.
        objects: In the order of the regions.
        dropped: Regions without an object, each with its reason.
        stage_s: Seconds per stage: crop, network, compose, pose, warp (of the whole batch of
            frames that were processed together), and track.
        intrinsics: The source camera's, or None where it is not calibrated.
    """

    camera: str
    stamp_ns: int
    frame_id: str
    width: int
    height: int
    objects: tuple[CanonicalObject, ...]
    dropped: tuple[DroppedRegion, ...]
    stage_s: Mapping[str, float]
    intrinsics: PinholeIntrinsics | None = None
