# SPDX-License-Identifier: Apache-2.0
"""Making messages without knowing whose they are: rclpy's, rosbags' or plain objects."""

from __future__ import annotations

import array
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stn_perception.messages.stamps import time_fields


class MessageFactory(Protocol):
    """Makes messages of one middleware.

    Every builder in this room gives **all** fields of a type, so that an implementation may be
    a plain constructor call.
    """

    def make(self, type_name: str, **fields: Any) -> Any:
        """A message of ``type_name`` ("sensor_msgs/msg/Image") with these fields."""

    def octets(self, values: NDArray[np.uint8]) -> Any:
        """A uint8[] field's value from a contiguous flat array."""

    def floats64(self, values: Sequence[float] | NDArray[np.float64]) -> Any:
        """A float64[] field's value, of fixed or free length, from a flat sequence."""


class NamespaceFactory:
    """Plain objects with the message's fields: for tests and for tools without a middleware."""

    def make(self, type_name: str, **fields: Any) -> SimpleNamespace:
        """A namespace of the fields; ``type_name`` is kept as ``_type_name``."""
        return SimpleNamespace(_type_name=type_name, **fields)

    def octets(self, values: NDArray[np.uint8]) -> array.array[int]:
        """The bytes as array.array('B')."""
        return array.array("B", np.ascontiguousarray(values, dtype=np.uint8).tobytes())

    def floats64(self, values: ArrayLike) -> NDArray[np.float64]:
        """The numbers as a flat float64 array."""
        return np.array(values, dtype=np.float64).ravel()


def time(factory: MessageFactory, stamp: int) -> Any:
    """A builtin_interfaces/Time of nanoseconds."""
    sec, nanosec = time_fields(stamp)
    return factory.make("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def header(factory: MessageFactory, stamp: int, frame_id: str) -> Any:
    """A std_msgs/Header of a stamp in nanoseconds and a frame."""
    return factory.make("std_msgs/msg/Header", stamp=time(factory, stamp), frame_id=frame_id)
