# SPDX-License-Identifier: Apache-2.0
"""Recordings: reading, writing and showing rosbag2 files without a ROS install."""

from stn_perception.bags.errors import BagError
from stn_perception.bags.factory import RosbagsFactory
from stn_perception.bags.qos import TopicQos
from stn_perception.bags.reader import BagMessage, BagReader, BagTopic
from stn_perception.bags.typestore import make_typestore
from stn_perception.bags.writer import BagWriter

__all__ = [
    "BagError",
    "BagMessage",
    "BagReader",
    "BagTopic",
    "BagWriter",
    "RosbagsFactory",
    "TopicQos",
    "make_typestore",
]
