# SPDX-License-Identifier: Apache-2.0
"""From tracked views to the objects that are handed out: cameras, poses, pixels."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import PlanarPoseEstimate
from stn_perception.geometry.box_rows import oriented_boxes
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.geometry.uncertainty import corner_sigmas_px
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.object_pose import PlaneSeen, object_poses
from stn_perception.runtime.results import (
    CanonicalObject,
    DroppedRegion,
    FrameResult,
    ViewEstimate,
)
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.view_cameras import ViewCameras, rotations_of_views, view_cameras
from stn_perception.runtime.view_coverage import are_inside, valid_fractions
from stn_perception.runtime.wanted_views import (
    TrackedFrame,
    TrackedItem,
    depth_encoding,
    wanted_depths,
    wanted_pixels,
)
from stn_perception.runtime.warp_backend import WarpBackend

Matrix = NDArray[np.float64]


def finish_frames(
    frames: Sequence[TrackedFrame], settings: PipelineSettings, backend: WarpBackend
) -> list[FrameResult]:
    """Cameras and poses of all views of some frames, and pixels of those that are wanted.

    A view that is no camera, or whose skew-free one folds, is dropped.

    Args:
        frames: Frames whose views all have one size, as those of one prediction have.
        settings: The pipeline's settings.
        backend: What warps.
    """
    started = time.perf_counter()
    items = [
        TrackedItem(number, frame, v) for number, frame in enumerate(frames) for v in frame.views
    ]
    objects: list[list[CanonicalObject]] = [[] for _ in frames]
    dropped = [list(frame.prediction.dropped) for frame in frames]
    seconds = {"pose": 0.0, "warp": 0.0}
    if items:
        prediction = frames[0].prediction
        size = (prediction.view_width, prediction.view_height)
        items, views, faults = _cameras(items, size, settings)
        for item, fault in faults:
            estimate, reason = item.view.estimate, DropReason.INVALID_TRANSFORM
            drop = DroppedRegion(estimate.index, estimate.region.id, reason, str(fault))
            dropped[item.number].append(drop)
        if items:
            found = _objects(items, views, size, settings, backend, seconds)
            for item, one in zip(items, found, strict=True):
                objects[item.number].append(one)
    seconds["pose"] = time.perf_counter() - started - seconds["warp"]
    return [
        FrameResult(
            camera=frame.request.camera,
            stamp_ns=frame.request.frame.stamp_ns,
            frame_id=frame.request.frame.frame_id,
            width=frame.request.frame.width,
            height=frame.request.frame.height,
            objects=tuple(objects[number]),
            dropped=tuple(sorted(dropped[number], key=lambda drop: drop.index)),
            stage_s=frame.stage_s | seconds,
            intrinsics=frame.request.intrinsics,
        )
        for number, frame in enumerate(frames)
    ]


def _cameras(
    items: list[TrackedItem], size: tuple[int, int], settings: PipelineSettings
) -> tuple[list[TrackedItem], ViewCameras, list[tuple[TrackedItem, InvalidTransformError]]]:
    """The items that have cameras, those cameras, and the other items with what is wrong."""

    def cameras(some: Iterable[TrackedItem]) -> ViewCameras:
        chosen = list(some)
        return view_cameras(
            np.array([item.view.frame_from_view for item in chosen]).reshape(-1, 3, 3),
            np.array([item.view.corners for item in chosen]).reshape(-1, 4, 2),
            size,
            [item.frame.request.intrinsics for item in chosen],
            settings.view_kind == "camera",
        )

    try:
        return items, cameras(items), []
    except InvalidTransformError:
        faults = []
        for item in items:  # a rare case: look for those that are no cameras
            try:
                cameras([item])
            except InvalidTransformError as error:
                faults.append((item, error))
        faulty = {id(item) for item, _ in faults}
        kept = [item for item in items if id(item) not in faulty]
        return kept, cameras(kept), faults


def _objects(
    items: Sequence[TrackedItem],
    views: ViewCameras,
    size: tuple[int, int],
    settings: PipelineSettings,
    backend: WarpBackend,
    seconds: dict[str, float],
) -> list[CanonicalObject]:
    poses = _poses(items, views, size, settings)
    shares = _seen_shares(items, views, size)
    sigmas = _sigmas([item.view.estimate for item in items])
    started = time.perf_counter()
    pixels = wanted_pixels(items, views, size, settings, backend)
    depths = wanted_depths(items, views)
    seconds["warp"] += time.perf_counter() - started
    rest = zip(
        items,
        views.frame_from_view,
        oriented_boxes(views.boxes),
        views.cameras,
        shares.tolist(),
        sigmas,
        strict=True,
    )
    return [
        CanonicalObject(
            region=item.view.estimate.region,
            track_id=item.view.track_id,
            slot=item.view.slot,
            frame_from_view=transform,
            view_width=size[0],
            view_height=size[1],
            class_id=item.view.estimate.class_id,
            score=item.view.estimate.score,
            valid_fraction=share,
            corner_sigma_px=sigma,
            corner_covariance=item.view.estimate.corner_covariance,
            oriented_box=box,
            virtual_camera=camera,
            pose=poses.get(place),
            view=pixels.get(place),
            color=item.frame.request.frame.color,
            depth_view=depths.get(place),
            depth_encoding=depth_encoding(item, place in depths),
            is_uncertain=_is_uncertain(item.view.estimate, settings),
        )
        for place, (item, transform, box, camera, share, sigma) in enumerate(rest)
    ]


def _seen_shares(
    items: Sequence[TrackedItem], views: ViewCameras, size: tuple[int, int]
) -> Matrix:
    """How much of each view lies in its frame, N shares.

    Each frame is looked at by itself: which views are cut side by side shows in the last bit.
    """
    sizes = np.array([(i.frame.request.frame.width, i.frame.request.frame.height) for i in items])
    if are_inside(views.corners, sizes).all():
        return np.ones(len(items))
    starts = np.flatnonzero(np.diff([item.number for item in items])) + 1
    return np.concatenate(
        [
            valid_fractions(views.frame_from_view[rows], views.corners[rows], *size, sizes[rows])
            for rows in np.split(np.arange(len(items)), starts)
        ]
    )


def _poses(
    items: Sequence[TrackedItem],
    views: ViewCameras,
    size: tuple[int, int],
    settings: PipelineSettings,
) -> dict[int, PlanarPoseEstimate]:
    """Poses by place, of the calibrated; by the network's full transforms."""
    transforms, corners = views.frame_from_view, views.corners
    is_own = settings.view_kind == "camera"
    if is_own:
        transforms = np.array([item.view.frame_from_view for item in items])
        corners = np.array([item.view.corners for item in items])
    places, planes = [], []
    for place, item in enumerate(items):
        request, estimate = item.frame.request, item.view.estimate
        if request.intrinsics is not None:
            sizes_m = item.frame.prediction.sizes_m(estimate.class_id)
            places.append(place)
            planes.append(
                PlaneSeen(
                    corners[place],
                    request.intrinsics,
                    sizes_m,
                    request.depth,
                    estimate.corner_covariance,
                )
            )
    if not planes:
        return {}

    def view_from_optical(some: NDArray[np.intp]) -> Matrix:
        if not is_own:
            return np.array([views.cameras[places[number]].rotation for number in some])
        chosen = transforms[[places[number] for number in some]]
        return rotations_of_views(chosen, [planes[number].intrinsics for number in some])

    return dict(zip(places, object_poses(planes, size, view_from_optical), strict=True))


def _sigmas(estimates: Sequence[ViewEstimate]) -> list[float | None]:
    known = [e.corner_covariance for e in estimates if e.corner_covariance is not None]
    found = iter(corner_sigmas_px(np.array(known)).tolist() if known else ())
    return [None if e.corner_covariance is None else next(found) for e in estimates]


def _is_uncertain(estimate: ViewEstimate, settings: PipelineSettings) -> bool:
    share, limit = estimate.corner_sigma_of_side, settings.uncertain_corner_sigma
    return share is not None and limit > 0 and share > limit
