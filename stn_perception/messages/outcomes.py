# SPDX-License-Identifier: Apache-2.0
"""Why an image, a box or an object was not published: every message taken has an outcome."""

from __future__ import annotations

from enum import Enum


class DropReason(str, Enum):
    """One word per reason; the values are what diagnostics and JSON reports count under."""

    BUSY = "busy"
    NO_BOXES_YET = "no_boxes_yet"
    UNPAIRED = "unpaired"
    TIME_JUMP = "time_jump"
    DISABLED = "disabled"
    SHUTDOWN = "shutdown"

    BAD_ENCODING = "bad_encoding"
    BAD_SIZE = "bad_size"
    BAD_STEP = "bad_step"
    EMPTY_IMAGE = "empty_image"
    UNDECODABLE = "undecodable"
    TOO_LARGE = "too_large"
    DISTORTED_CAMERA_INFO = "distorted_camera_info"

    NOT_FINITE = "not_finite"
    ZERO_AREA = "zero_area"
    OUTSIDE_FRAME = "outside_frame"
    TOO_MANY_BOXES = "too_many_boxes"
    TOO_MANY_OBJECTS = "too_many_objects"

    MODEL_ERROR = "model_error"
    INTERNAL_ERROR = "internal_error"
    INVALID_TRANSFORM = "invalid_transform"
    ESCAPED = "escaped"
    UNCERTAIN = "uncertain"

    def __str__(self) -> str:
        return self.value


class MessageError(ValueError):
    """A message cannot be used; ``reason`` is what to count it under, the text one sentence."""

    def __init__(self, reason: DropReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
