# SPDX-License-Identifier: Apache-2.0
"""From a tracked view to the object that is handed out: camera, pose, pixels."""

from __future__ import annotations

import time
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import oriented_box_of_view
from stn_perception.geometry.homography import invert
from stn_perception.geometry.uncertainty import corner_sigma_px
from stn_perception.geometry.views import check_view_transform
from stn_perception.geometry.virtual_camera import (
    VirtualCamera,
    nearest_skew_free,
    uncalibrated_camera,
    virtual_camera,
)
from stn_perception.runtime.depth_view import depth_view
from stn_perception.runtime.object_pose import object_pose
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import CanonicalObject, Prediction, ViewEstimate
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.tracker import TrackedView
from stn_perception.runtime.view_check import in_front_of_camera
from stn_perception.runtime.view_coverage import valid_fraction
from stn_perception.runtime.warp_backend import WarpBackend

Matrix = NDArray[np.float64]


def finish_object(
    request: FrameRequest,
    prediction: Prediction,
    tracked: TrackedView,
    wanted: Collection[int] | None,
    settings: PipelineSettings,
    backend: WarpBackend,
    stage_s: dict[str, float],
) -> CanonicalObject:
    """Camera and pose of one object, and its pixels where its slot is wanted.

    Args:
        request: The frame.
        prediction: What the estimate belongs to.
        tracked: The estimate with its slot and smoothed transform.
        wanted: Slots whose views somebody looks at; None for all.
        settings: The pipeline's settings.
        backend: What warps.
        stage_s: Seconds per stage, added to.

    Raises:
        InvalidTransformError: The view is no camera, or its skew-free one folds.
    """
    started = time.perf_counter()
    size = (prediction.view_width, prediction.view_height)
    estimate, frame = tracked.estimate, request.frame
    frame_from_view = _published(tracked.frame_from_view, size, request, settings)
    camera = _camera(frame_from_view, size, request)
    pose = object_pose(
        tracked.frame_from_view,
        size,
        request.intrinsics,
        prediction.sizes_m(estimate.class_id),
        request.depth,
        estimate.corner_covariance,
    )
    posed = time.perf_counter()
    stage_s["pose"] += posed - started
    view, depth = None, None
    if tracked.slot is not None and (wanted is None or tracked.slot in wanted):
        view = backend.warp_view(
            frame, frame_from_view, *size, settings.interpolation, settings.antialias
        )
        if request.depth is not None and request.intrinsics is not None:
            depth = depth_view(request.depth.meters, frame_from_view, camera, request.intrinsics)
    stage_s["warp"] += time.perf_counter() - posed
    covariance = estimate.corner_covariance
    return CanonicalObject(
        region=estimate.region,
        track_id=tracked.track_id,
        slot=tracked.slot,
        frame_from_view=frame_from_view,
        view_width=size[0],
        view_height=size[1],
        class_id=estimate.class_id,
        score=estimate.score,
        valid_fraction=valid_fraction(frame_from_view, *size, frame.width, frame.height),
        corner_sigma_px=None if covariance is None else corner_sigma_px(covariance),
        corner_covariance=covariance,
        oriented_box=oriented_box_of_view(frame_from_view, *size),
        virtual_camera=camera,
        pose=pose,
        view=view,
        color=frame.color,
        depth_view=depth,
        depth_encoding="" if depth is None or request.depth is None else request.depth.encoding,
        is_uncertain=_is_uncertain(estimate, settings),
    )


def _is_uncertain(estimate: ViewEstimate, settings: PipelineSettings) -> bool:
    share, limit = estimate.corner_sigma_of_side, settings.uncertain_corner_sigma
    return share is not None and limit > 0 and share > limit


def _published(
    frame_from_view: Matrix,
    size: tuple[int, int],
    request: FrameRequest,
    settings: PipelineSettings,
) -> Matrix:
    if settings.view_kind == "camera" and request.intrinsics is not None:
        skew_free = in_front_of_camera(
            nearest_skew_free(frame_from_view, request.intrinsics, *size), *size
        )
        check_view_transform(skew_free, *size)  # it is wider, and may reach behind the camera
        return skew_free
    return frame_from_view


def _camera(
    frame_from_view: Matrix, size: tuple[int, int], request: FrameRequest
) -> VirtualCamera:
    view_from_frame = invert(frame_from_view)
    if request.intrinsics is None:
        return uncalibrated_camera(view_from_frame, *size)
    return virtual_camera(view_from_frame, request.intrinsics, *size)
