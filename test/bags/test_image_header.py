# SPDX-License-Identifier: Apache-2.0
"""The encoding of an image is read from its bytes as the decoder of messages reads it."""

import numpy as np
import pytest

from stn_perception.bags import RosbagsFactory
from stn_perception.bags.image_header import image_encoding
from stn_perception.messages.factory import header

FACTORY = RosbagsFactory()


def serialized(frame_id: str, text: str, compressed: bool, little_endian: bool) -> bytes:
    octets = FACTORY.octets(np.zeros(8, np.uint8))
    head = header(FACTORY, 5, frame_id)
    if compressed:
        kind = "sensor_msgs/msg/CompressedImage"
        message = FACTORY.make(kind, header=head, format=text, data=octets)
    else:
        kind = "sensor_msgs/msg/Image"
        sizes = {"height": 2, "width": 4, "is_bigendian": 0, "step": 4}
        message = FACTORY.make(kind, header=head, encoding=text, data=octets, **sizes)
    return bytes(FACTORY.typestore.serialize_cdr(message, kind, little_endian=little_endian))


@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "abcd"])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("little_endian", [False, True])
@pytest.mark.parametrize("text", ["", "mono8", "bgr8; jpeg compressed bgr8"])
def test_it_is_what_was_written(
    frame_id: str, text: str, compressed: bool, little_endian: bool
) -> None:
    data = serialized(frame_id, text, compressed, little_endian)
    assert image_encoding(data, compressed) == text


def test_a_message_that_ends_before_it_has_none() -> None:
    data = serialized("camera", "mono8", False, True)
    assert image_encoding(data[:20], False) == ""
    assert image_encoding(b"", False) == ""
