# SPDX-License-Identifier: Apache-2.0
"""Which topics of a recording to train from."""

from __future__ import annotations

from collections.abc import Mapping

from stn_perception.bags import BagError, BagTopic
from stn_perception.bags.opening.topics import chosen_detections_topic, chosen_image_topic
from stn_perception.training.own_bag.config import FULL_FRAME
from stn_perception.training.own_bag.errors import OwnBagError


def image_topic(topics: Mapping[str, BagTopic], wanted: str, bag: str) -> str:
    """Return the image topic to read.

    Args:
        topics: of the bag, by name.
        wanted: name asked for; empty where the bag has one alone.
        bag: what the messages call the bag.

    Raises:
        OwnBagError: it is absent, no image topic, or there are several and none is named.
    """
    try:
        return chosen_image_topic(topics, wanted, bag)
    except BagError as error:
        raise OwnBagError(str(error).rstrip(".")) from error


def detections_topic(topics: Mapping[str, BagTopic], wanted: str, bag: str) -> str:
    """Return the topic of the boxes; empty where the whole frame is to be taken.

    Args:
        topics: of the bag, by name.
        wanted: name asked for, ``full_frame``, or empty for the bag's only one if it has any.
        bag: what the messages call the bag.

    Raises:
        OwnBagError: it is absent, no detections topic, or there are several and none is named.
    """
    if wanted == FULL_FRAME:
        return ""
    try:
        return chosen_detections_topic(topics, wanted, bag, or_else=FULL_FRAME)
    except BagError as error:
        raise OwnBagError(str(error).rstrip(".")) from error
