# SPDX-License-Identifier: Apache-2.0
"""Requests of coloured frames with boxes, as a camera's pipeline is given them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import CanonicalObject, FrameResult

MakeArchive = Callable[..., ModelArchive]
MS = 1_000_000
WIDTH, HEIGHT = 320, 240
K = np.array([[300.0, 0, 162], [0, 310, 118], [0, 0, 1]])
INTRINSICS = PinholeIntrinsics(K, width=WIDTH, height=HEIGHT, frame_id="camera_optical")
IDENTITY = [[1.0, 0, 0], [0, 1, 0]]
GENERIC = [[0.7, -0.2, 0.05], [0.15, 0.6, -0.1], [0.1, -0.05, 1.0]]


def color_frame(stamp_ms: int = 0, seed: int = 0) -> Frame:
    rough = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels = cv2.normalize(cv2.blur(rough, (5, 5)), None, 0, 255, cv2.NORM_MINMAX)
    return Frame(np.asarray(pixels, dtype=np.uint8), "bgr", stamp_ms * MS, "camera_optical")


def box(
    x: float = 150, y: float = 120, width: float = 100, height: float = 80, **fields: Any
) -> Region:
    return Region(AxisAlignedBox(x, y, width, height), **fields)


def request(
    *regions: Any, camera: str = "front", stamp_ms: int = 0, **fields: Any
) -> FrameRequest:
    return FrameRequest(camera, color_frame(stamp_ms), regions or (box(),), **fields)


def only(results: list[FrameResult]) -> CanonicalObject:
    (result,) = results
    (item,) = result.objects
    return item
