# SPDX-License-Identifier: Apache-2.0
"""Keep each camera's newest CameraInfo by frame and size, ready for any image that fits."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.camera_info import intrinsics_from_camera_info
from stn_perception.messages.outcomes import MessageError

_MAX_KINDS = 16


@dataclass(frozen=True)
class _Latched:
    message_fields: tuple[Any, ...]
    intrinsics: PinholeIntrinsics | None
    refusal: MessageError | None


class CameraInfoLatch:
    """CameraInfo of one camera; put by the taking thread, looked up by the working one.

    Args:
        input_is_rectified: Whether images are, which decides between P and K.
    """

    def __init__(self, input_is_rectified: bool) -> None:
        self._input_is_rectified = input_is_rectified
        self._lock = threading.Lock()
        self._latched: dict[tuple[str, int, int], _Latched] = {}
        self._sought: tuple[str, int, int] | None = None

    def change(self, input_is_rectified: bool) -> None:
        """Read CameraInfo another way from now on; what is latched is forgotten."""
        with self._lock:
            if input_is_rectified != self._input_is_rectified:
                self._input_is_rectified = input_is_rectified
                self._latched = {}

    def put(self, message: Any) -> MessageError | None:
        """Latch a sensor_msgs/CameraInfo.

        Returns:
            Why it cannot be used, or None.
        """
        fields = _fields(message)
        known = self._latched.get(_nominal_key(message))
        if known is not None and known.message_fields == fields:
            return known.refusal
        intrinsics, refusal = None, None
        try:
            intrinsics = intrinsics_from_camera_info(message, self._input_is_rectified)
        except MessageError as error:
            refusal = error
        key = _nominal_key(message)
        if intrinsics is not None:
            key = (intrinsics.frame_id, intrinsics.width, intrinsics.height)
        latched = _Latched(fields, intrinsics, refusal)
        with self._lock:
            self._latched[key] = latched
            self._latched[_nominal_key(message)] = latched
            while len(self._latched) > _MAX_KINDS:
                self._latched.pop(next(iter(self._latched)))
        return refusal

    def find(self, frame_id: str, width: int, height: int) -> PinholeIntrinsics | None:
        """Intrinsics for an image, or None where none fits or the camera is not calibrated.

        Raises:
            MessageError: The CameraInfo that fits cannot be used.
        """
        with self._lock:
            self._sought = (frame_id, width, height)
            latched = self._latched.get(self._sought)
        if latched is None:
            return None
        if latched.refusal is not None:
            raise latched.refusal
        intrinsics = latched.intrinsics
        if intrinsics is None or (intrinsics.width, intrinsics.height) != (width, height):
            return None
        return intrinsics

    @property
    def last_sought(self) -> str:
        """The last image that intrinsics were sought for, as ``'frame' 640×480``; "" for none."""
        with self._lock:
            return "" if self._sought is None else _text(self._sought)

    @property
    def last_sought_in_vain(self) -> bool:
        """Whether no CameraInfo, calibrated or not, fits that image."""
        with self._lock:
            return self._sought is not None and self._sought not in self._latched

    def kinds(self) -> list[str]:
        """What has come, for a message to the user: ``'frame' 640×480``."""
        with self._lock:
            return [_text(kind) for kind in self._latched]


def _text(kind: tuple[str, int, int]) -> str:
    frame_id, width, height = kind
    return f"'{frame_id}' {width}×{height}"


def _nominal_key(message: Any) -> tuple[str, int, int]:
    return str(message.header.frame_id), int(message.width), int(message.height)


def _fields(message: Any) -> tuple[Any, ...]:
    roi = message.roi
    return (
        tuple(message.d),
        tuple(message.k),
        tuple(message.p),
        message.binning_x,
        message.binning_y,
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
    )
