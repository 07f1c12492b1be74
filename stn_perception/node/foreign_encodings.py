# SPDX-License-Identifier: Apache-2.0
"""Encodings that this package does not know, through cv_bridge where one is installed."""

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.messages.stamps import stamp_ns
from stn_perception.runtime.frame import Frame

_LOG = logging.getLogger(__name__)


def frame_through_cv_bridge(message: Any, refusal: MessageError) -> Frame:
    """Convert an image of an unknown encoding to BGR with cv_bridge.

    Args:
        message: sensor_msgs/Image.
        refusal: Why the package's own conversion would not have it.

    Raises:
        MessageError: The refusal itself without a cv_bridge, or cv_bridge's own.
    """
    bridge = _bridge()
    if bridge is None:
        raise refusal
    try:
        pixels = bridge.imgmsg_to_cv2(message, desired_encoding="bgr8")
    except Exception as error:  # CvBridgeError derives from TypeError in some releases only
        raise MessageError(
            DropReason.BAD_ENCODING,
            f"{refusal}, and cv_bridge cannot convert it either: {str(error).splitlines()[0]}",
        ) from error
    own = np.ascontiguousarray(pixels, dtype=np.uint8)
    return Frame(own, "bgr", stamp_ns(message), message.header.frame_id)


@functools.cache
def _bridge() -> Any:
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
    except (ImportError, AttributeError) as error:  # a NumPy ABI clash is an AttributeError
        _LOG.info("no cv_bridge for other encodings: %s", error)
        return None
    return bridge
