# SPDX-License-Identifier: Apache-2.0
"""Depth images to metres and back (REP-118)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.encodings import ENCODINGS
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.images import image_elements, raw_image_message
from stn_perception.messages.outcomes import DropReason, MessageError

DEPTH_ENCODINGS = ("32FC1", "16UC1", "mono16")


@dataclass(frozen=True, eq=False)
class DepthImage:
    """H×W float32 metres along the optical axis, NaN where unknown, and the source's encoding."""

    meters: NDArray[np.float32]
    encoding: str


def decode_depth(message: Any) -> DepthImage:
    """Metres of a depth image: 32FC1 in metres, or 16UC1 (mono16) in millimetres with 0 unknown.

    In 32FC1 everything that is no positive finite depth becomes NaN; where there is none such and
    the byte order is this machine's, the message's own memory is looked at. Raises MessageError
    as :func:`stn_perception.messages.images.decode_image`.
    """
    encoding = str(message.encoding)
    if encoding not in DEPTH_ENCODINGS:
        raise MessageError(
            DropReason.BAD_ENCODING,
            f"depth encoding {encoding!r} is not one of {', '.join(DEPTH_ENCODINGS)}",
        )
    elements = image_elements(message, ENCODINGS[encoding])
    if encoding != "32FC1":
        meters = elements.astype(np.float32) * np.float32(1e-3)
        meters[elements == 0] = np.nan
        return DepthImage(meters, encoding)
    meters = elements.astype(np.float32, copy=False)
    unusable = ~(np.isfinite(meters) & (meters > 0)) & ~np.isnan(meters)
    if unusable.any():
        meters = np.where(unusable, np.float32(np.nan), meters)
    return DepthImage(meters, encoding)


def encode_depth(
    factory: MessageFactory, header: Any, meters: NDArray[np.float32], encoding: str
) -> Any:
    """A sensor_msgs/Image of depths H×W in metres (NaN unknown), in the encoding they came in.

    16UC1 and mono16 hold whole millimetres; what is unknown or beyond 65.535 m becomes 0.
    """
    if encoding == "32FC1":
        return raw_image_message(factory, header, meters.astype(np.float32, copy=False), encoding)
    if encoding not in DEPTH_ENCODINGS:
        raise ValueError(f"depth encoding is {encoding!r}, expected one of {DEPTH_ENCODINGS}")
    with np.errstate(invalid="ignore"):
        millimeters = np.rint(meters.astype(np.float64) * 1e3)
        known = (millimeters >= 0) & (millimeters <= np.iinfo(np.uint16).max)
    values = np.where(known, millimeters, 0).astype(np.uint16)
    return raw_image_message(factory, header, values, encoding)
