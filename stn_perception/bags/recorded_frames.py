# SPDX-License-Identifier: Apache-2.0
"""A recording of the node's outputs, frame by frame: the picture, its objects and their views.

Where a view lies in its frame is read from the view's own CameraInfo, P[:, :3] · R · K⁻¹, as any
consumer would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.reader import BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.geometry import corner_error_px, quad_side_px, view_quad
from stn_perception.messages.images import decode_compressed_image, decode_image
from stn_perception.messages.objects import hypothesis_score
from stn_perception.runtime.drawing import bgr_pixels

Picture = NDArray[np.uint8]
Quad = NDArray[np.float64]
_COMPRESSED = "sensor_msgs/msg/CompressedImage"
_SLOT_TOPIC = re.compile(r".*/object_(\d+)/(image_rect|camera_info)")


@dataclass(frozen=True, eq=False)
class RecordedView:
    """One object's canonical view.

    Attributes:
        slot: Its slot.
        object_id: The detection's id.
        picture: BGR.
        quad: 4×2, the view's corners in the frame (top-left, top-right, ... of the view).
    """

    slot: int
    object_id: str
    picture: Picture
    quad: Quad

    def error_of_side(self, truth: Quad) -> float:
        """Mean corner distance from the truth as a share of its side, over quarter turns."""
        return corner_error_px(self.quad, truth, symmetry=4)[0] / quad_side_px(truth)


@dataclass(eq=False)
class RecordedFrame:
    """One source frame with what came of it.

    Attributes:
        stamp_ns: Its stamp.
        image: The image message.
        image_type: Its type.
        views: By slot.
        truth: True corners by object id, where known.
        part: What the truth calls this part of the recording.
    """

    stamp_ns: int
    image: Any = None
    image_type: str = ""
    views: Sequence[RecordedView] = ()
    truth: Mapping[str, Quad] = field(default_factory=dict)
    part: str = ""

    def picture(self) -> Picture:
        """Decode the source image, BGR."""
        return _bgr(self.image, self.image_type)

    def errors(self) -> dict[str, float]:
        """Corner error of each view whose truth is known, as a share of the side."""
        return {
            view.object_id: view.error_of_side(self.truth[view.object_id])
            for view in self.views
            if view.object_id in self.truth
        }


def read_frames(
    bag: Path, image_topic: str, outputs: str, truth: Mapping[int, tuple[str, Mapping[str, Quad]]]
) -> list[RecordedFrame]:
    """Read a recording of the node's inputs and outputs.

    Args:
        bag: The recording.
        image_topic: The camera's image, raw or compressed.
        outputs: Prefix of the camera's outputs, such as ``/canonicalizer/camera``.
        truth: Part and true corners by stamp; empty where nothing is known.

    Returns:
        The frames that results came of, in the order of their stamps.

    Raises:
        BagError: The recording cannot be read or lacks the images.
    """
    images: dict[int, tuple[Any, str]] = {}
    objects: dict[int, Any] = {}
    slots: dict[int, dict[int, dict[str, Any]]] = {}
    with BagReader(bag) as reader:
        wanted = [image_topic] + [
            name
            for name in reader.topics
            if name == f"{outputs}/objects"
            or (name.startswith(f"{outputs}/") and _SLOT_TOPIC.fullmatch(name))
        ]
        for message in reader.messages(wanted):
            stamp_ns = header_stamp_ns(message.data)
            content = reader.deserialize(message)
            slot = _SLOT_TOPIC.fullmatch(message.topic)
            if message.topic == image_topic:
                images[stamp_ns] = (content, message.type_name)
            elif slot is not None:
                frame_slots = slots.setdefault(stamp_ns, {})
                frame_slots.setdefault(int(slot.group(1)), {})[slot.group(2)] = content
            else:
                objects[stamp_ns] = content
    frames = []
    for stamp_ns in sorted(objects.keys() & images.keys()):
        part, corners = truth.get(stamp_ns, ("", {}))
        image, image_type = images[stamp_ns]
        views = _views(slots.get(stamp_ns, {}), _ids_by_slot(objects[stamp_ns]))
        frames.append(RecordedFrame(stamp_ns, image, image_type, views, corners, part))
    return frames


def _views(slots: Mapping[int, Mapping[str, Any]], ids: Mapping[int, str]) -> list[RecordedView]:
    views = []
    for slot, messages in sorted(slots.items()):
        if {"image_rect", "camera_info"} <= messages.keys() and slot in ids:
            info = messages["camera_info"]
            frame_from_view = np.linalg.inv(view_from_frame(info))
            quad = view_quad(frame_from_view, int(info.width), int(info.height))
            picture = _bgr(messages["image_rect"], "sensor_msgs/msg/Image")
            views.append(RecordedView(slot, ids[slot], picture, quad))
    return views


def view_from_frame(info: Any) -> NDArray[np.float64]:
    """P[:, :3] · R · K⁻¹ of a view's CameraInfo; P[:, :3] · R where K is zero."""
    product = np.reshape(info.p, (3, 4))[:, :3] @ np.reshape(info.r, (3, 3))
    K = np.reshape(info.k, (3, 3))
    return np.asarray(product @ np.linalg.inv(K) if K[0, 0] else product, dtype=np.float64)


def _ids_by_slot(objects: Any) -> dict[int, str]:
    ids = {}
    for detection in objects.detections:
        slot = hypothesis_score(detection, "slot")
        if slot is not None and slot >= 0:
            ids[int(slot)] = str(detection.id)
    return ids


def _bgr(message: Any, type_name: str) -> Picture:
    decode = decode_compressed_image if type_name == _COMPRESSED else decode_image
    decoded = decode(message)
    return bgr_pixels(decoded.pixels, decoded.color)
