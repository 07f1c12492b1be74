# SPDX-License-Identifier: Apache-2.0
"""Results as messages: what the node publishes and what an offline run writes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from stn_perception.messages.camera_info import camera_info_from_virtual_camera
from stn_perception.messages.depth import encode_depth
from stn_perception.messages.factory import MessageFactory, header
from stn_perception.messages.images import encode_image
from stn_perception.messages.objects import detection, detection_array
from stn_perception.messages.poses import pose_array
from stn_perception.messages.transforms import object_transform, tf_message, view_transform
from stn_perception.runtime.drawing import draw_mosaic, draw_overlay
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.results import CanonicalObject, FrameResult

IMAGE = "image_rect"
CAMERA_INFO = "camera_info"
DEPTH = "depth_rect"
OBJECTS = "objects"
OBJECT_POSES = "object_poses"
MOSAIC = "mosaic"
OVERLAY = "overlay"


def object_topic(camera: str, slot: int, name: str) -> str:
    """Topic of one slot's output, relative to the node's private names."""
    return f"{camera}/object_{slot}/{name}"


def camera_topic(camera: str, name: str) -> str:
    """Topic of one camera's output, relative to the node's private names."""
    return f"{camera}/{name}"


@dataclass(frozen=True)
class ResultMessages:
    """Builds messages from results.

    Attributes:
        factory: Makes the messages.
        frame_prefix: Put before the names of view and object frames (for several robots).
        view_frames: Whether views have frames of their own, which /tf explains; else their
            images stay in the source's frame.
        object_frames: Whether objects of known place are frames in /tf too.
    """

    factory: MessageFactory
    frame_prefix: str = ""
    view_frames: bool = True
    object_frames: bool = False

    def view_frame_id(self, result: FrameResult, slot: int) -> str:
        """Frame of a slot's images: the view's own, or the source's where it has none."""
        if not self.view_frames or result.intrinsics is None:
            return result.frame_id
        return f"{self._object_frame_id(result, slot)}_optical"

    def transforms(self, result: FrameResult) -> Any | None:
        """The TFMessage that explains this result's frames, to be sent before its images.

        None where there is nothing to explain (no calibration, no slots, not asked for).
        """
        if result.intrinsics is None:
            return None
        parent = header(self.factory, result.stamp_ns, result.frame_id)
        transforms = []
        for item in result.objects:
            if item.slot is None:
                continue
            if self.view_frames:
                name = self.view_frame_id(result, item.slot)
                transforms.append(view_transform(self.factory, parent, name, item.virtual_camera))
            if self.object_frames and item.pose is not None and item.pose.translation_known:
                name = self._object_frame_id(result, item.slot)
                transforms.append(object_transform(self.factory, parent, name, item.pose.pose))
        return tf_message(self.factory, transforms) if transforms else None

    def outputs(
        self,
        result: FrameResult,
        frame: Frame | None = None,
        is_wanted: Callable[[str], bool] | None = None,
    ) -> Iterator[tuple[str, Any]]:
        """Topics with their messages, made one by one as they are taken.

        Per slot with pixels: camera_info, image_rect and depth_rect. Per frame: objects (an
        empty array says that there is none), object_poses, mosaic and, given the frame, overlay.

        Args:
            result: One frame's result.
            frame: Its frame, for the overlay.
            is_wanted: Whether somebody listens to a topic; what nobody wants is not made.
        """
        wanted = is_wanted or (lambda topic: True)
        for item in result.objects:
            if item.slot is not None and item.view is not None:
                for name, build in self._object_builders(result, item, item.slot):
                    topic = object_topic(result.camera, item.slot, name)
                    if wanted(topic):
                        yield topic, build()
        for name, build in self._camera_builders(result, frame):
            topic = camera_topic(result.camera, name)
            if wanted(topic):
                yield topic, build()

    def objects(self, result: FrameResult) -> Any:
        """The Detection2DArray of all objects, with and without a slot."""
        source = header(self.factory, result.stamp_ns, result.frame_id)
        return detection_array(
            self.factory,
            source,
            [
                detection(
                    self.factory,
                    source,
                    item.oriented_box,
                    id=item.region.id or str(item.track_id),
                    class_id=item.class_id,
                    score=item.score,
                    pose=item.pose,
                    slot=item.slot,
                    valid_fraction=item.valid_fraction,
                    corner_sigma_px=item.corner_sigma_px,
                    is_uncertain=item.is_uncertain,
                )
                for item in result.objects
            ],
        )

    def object_poses(self, result: FrameResult) -> Any:
        """The PoseArray of the known poses, in the order of the objects."""
        source = header(self.factory, result.stamp_ns, result.frame_id)
        poses = [item.pose for item in result.objects if item.pose is not None]
        known = [pose.pose for pose in poses if pose.translation_known]
        return pose_array(self.factory, source, known)

    def _object_builders(
        self, result: FrameResult, item: CanonicalObject, slot: int
    ) -> list[tuple[str, Callable[[], Any]]]:
        factory = self.factory
        view, depth = item.view, item.depth_view
        assert view is not None
        own = header(factory, result.stamp_ns, self.view_frame_id(result, slot))
        builders: list[tuple[str, Callable[[], Any]]] = [
            (
                CAMERA_INFO,
                lambda: camera_info_from_virtual_camera(factory, own, item.virtual_camera),
            ),
            (IMAGE, lambda: encode_image(factory, own, view, item.color)),
        ]
        if depth is not None:
            builders.append(
                (DEPTH, lambda: encode_depth(factory, own, depth, item.depth_encoding))
            )
        return builders

    def _camera_builders(
        self, result: FrameResult, frame: Frame | None
    ) -> list[tuple[str, Callable[[], Any]]]:
        factory = self.factory
        source = header(factory, result.stamp_ns, result.frame_id)
        builders: list[tuple[str, Callable[[], Any]]] = [
            (OBJECTS, lambda: self.objects(result)),
            (OBJECT_POSES, lambda: self.object_poses(result)),
            (MOSAIC, lambda: encode_image(factory, source, draw_mosaic(result), "bgr")),
        ]
        if frame is not None:
            builders.append(
                (
                    OVERLAY,
                    lambda: encode_image(factory, source, draw_overlay(frame, result), "bgr"),
                )
            )
        return builders

    def _object_frame_id(self, result: FrameResult, slot: int) -> str:
        camera = result.camera.strip("/").replace("/", "_")
        return f"{self.frame_prefix}{camera}_object_{slot}"
