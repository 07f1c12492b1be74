# SPDX-License-Identifier: Apache-2.0
"""Tell topics of depth images from topics of pictures."""

from __future__ import annotations

from collections.abc import Collection

from stn_perception.bags.errors import BagError
from stn_perception.bags.reader import BagReader
from stn_perception.messages.depth import DEPTH_ENCODINGS

# Gray pictures of 16 bits come in this encoding too, so it says nothing by itself.
_AMBIGUOUS = "mono16"


def depth_topics(reader: BagReader, types: Collection[str]) -> set[str]:
    """Return the names of those image topics whose first message has an encoding of depth.

    A raw image says it by its encoding, a compressed one by its format. ``mono16`` counts only
    where the topic's name says depth, as pictures come in it as well. A first message that does
    not read tells nothing: whoever reads the pictures meets it, and counts it.
    """
    found = set()
    for name, topic in reader.topics.items():
        if topic.type_name not in types or not topic.message_count:
            continue
        message = next(reader.messages([name]), None)
        if message is None:
            continue
        try:
            image = reader.deserialize(message)
        except BagError:
            continue
        if _is_depth(name, image):
            found.add(name)
    return found


def _is_depth(name: str, image: object) -> bool:
    form = str(getattr(image, "format", ""))
    if "compressedDepth" in form:
        return True
    # The format of a compressed image is that of image_transport: "16UC1; png compressed".
    encoding = str(getattr(image, "encoding", form.partition(";")[0].strip()))
    if encoding == _AMBIGUOUS:
        return "depth" in name.lower()
    return encoding in DEPTH_ENCODINGS
