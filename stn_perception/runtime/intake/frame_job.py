# SPDX-License-Identifier: Apache-2.0
"""One frame on its way through the node, and how it becomes a request to the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.messages.regions import Region, RejectedRegion, regions_from_detections
from stn_perception.runtime.frame import (
    DepthFrame,
    Frame,
    depth_frame_from_message,
    frame_from_message,
)
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.parameters.settings import InputSettings
from stn_perception.runtime.requests import FrameRequest, full_frame_region


@dataclass(frozen=True)
class FrameJob:
    """Messages that belong together.

    Attributes:
        camera: Name of the camera.
        image: sensor_msgs Image or CompressedImage.
        detections: vision_msgs/Detection2DArray, or None where boxes come from parameters.
        depth: sensor_msgs/Image of the same moment, or None.
        taken_s: When the image was taken from the middleware, on the steady clock.
    """

    camera: str
    image: Any
    detections: Any
    depth: Any
    taken_s: float


ForeignEncodings = Callable[[Any, MessageError], Frame]


def _refused(message: Any, refusal: MessageError) -> Frame:
    raise refusal


def frame_of(
    job: FrameJob, settings: InputSettings, foreign_encodings: ForeignEncodings = _refused
) -> Frame:
    """Look at the job's image.

    Args:
        job: What belongs together.
        settings: The inputs' parameters.
        foreign_encodings: Converts an image of an encoding that this package does not know, or
            raises the refusal that it is given.

    Raises:
        MessageError: It is no usable image, or larger than the limits.
    """
    if hasattr(job.image, "width"):  # before any byte is converted
        _check_size(job.image.width, job.image.height, settings)
    try:
        frame = frame_from_message(job.image)
    except MessageError as refusal:
        if refusal.reason is not DropReason.BAD_ENCODING or not hasattr(job.image, "encoding"):
            raise
        frame = foreign_encodings(job.image, refusal)
    _check_size(frame.width, frame.height, settings)
    return frame


def request_of(
    job: FrameJob, frame: Frame, latch: CameraInfoLatch, settings: InputSettings, max_boxes: int
) -> FrameRequest:
    """Everything about the frame that the pipeline wants.

    Raises:
        MessageError: Depth or camera_info cannot be used.
    """
    return FrameRequest(
        camera=job.camera,
        frame=frame,
        regions=_regions(job, frame, settings, max_boxes),
        intrinsics=latch.find(frame.frame_id, frame.width, frame.height),
        depth=None if job.depth is None else _depth(job.depth, frame),
    )


def _regions(
    job: FrameJob, frame: Frame, settings: InputSettings, max_boxes: int
) -> tuple[Region | RejectedRegion, ...]:
    if settings.regions == "full_frame":
        return (full_frame_region(frame),)
    if settings.regions == "fixed":
        boxes = settings.fixed_boxes()
        return tuple(box.region for box in boxes if box.camera in ("", job.camera))
    return regions_from_detections(job.detections, settings.box_origin, max_boxes=max_boxes)


def _depth(message: Any, frame: Frame) -> DepthFrame:
    depth = depth_frame_from_message(message)
    height, width = depth.meters.shape
    if (width, height) != (frame.width, frame.height):
        raise MessageError(
            DropReason.BAD_SIZE,
            f"the depth image is {width} × {height}, expected the image's "
            f"{frame.width} × {frame.height}",
        )
    return depth


def _check_size(width: int, height: int, settings: InputSettings) -> None:
    if width > settings.max_image_width or height > settings.max_image_height:
        raise MessageError(
            DropReason.TOO_LARGE,
            f"the image is {width} × {height}, expected at most {settings.max_image_width} × "
            f"{settings.max_image_height} (max_image_width, max_image_height)",
        )
