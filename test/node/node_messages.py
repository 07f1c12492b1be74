# SPDX-License-Identifier: Apache-2.0
"""The messages that a camera and its detector send, and what comes back in one."""

from __future__ import annotations

import array
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

WIDTH, HEIGHT = 320, 240
FRAME_ID = "camera_optical"
K = [300.0, 0.0, 159.5, 0.0, 300.0, 119.5, 0.0, 0.0, 1.0]


def stamp_of(message: Any) -> int:
    return message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec


def set_stamp(message: Any, stamp_ns: int, frame_id: str = FRAME_ID) -> Any:
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    message.header.frame_id = frame_id
    return message


def picture(seed: int = 0) -> np.ndarray:
    """A smooth colourful rgb picture that looks different everywhere."""
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def image_message(stamp_ns: int, pixels: np.ndarray | None = None, **changes: Any) -> Image:
    pixels = picture() if pixels is None else pixels
    message = Image(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding="rgb8",
        step=3 * pixels.shape[1],
        data=array.array("B", pixels.tobytes()),
    )
    for name, value in changes.items():
        setattr(message, name, value)
    return set_stamp(message, stamp_ns)


def info_message(stamp_ns: int, **changes: Any) -> CameraInfo:
    message = CameraInfo(width=WIDTH, height=HEIGHT, k=K, distortion_model="plumb_bob")
    message.p = [*K[:3], 0.0, *K[3:6], 0.0, *K[6:], 0.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    for name, value in changes.items():
        setattr(message, name, value)
    return set_stamp(message, stamp_ns)


def detections_message(stamp_ns: int, boxes: Sequence[Sequence[float]]) -> Detection2DArray:
    message = Detection2DArray()
    for index, (x, y, width, height) in enumerate(boxes):
        detection = Detection2D(id=f"box{index}")
        # rclpy does not check types, and an int in a float field crashes the publisher.
        center, box = detection.bbox.center, detection.bbox
        center.position.x, center.position.y = float(x), float(y)
        box.size_x, box.size_y = float(width), float(height)
        result = ObjectHypothesisWithPose()
        result.hypothesis.class_id, result.hypothesis.score = "sign", 0.75
        detection.results.append(result)
        message.detections.append(detection)
    return set_stamp(message, stamp_ns)


def pixels_of(message: Image) -> np.ndarray:
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    channels = message.step // message.width
    return rows.reshape(message.height, message.width, channels)
