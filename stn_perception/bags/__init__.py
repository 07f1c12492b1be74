# SPDX-License-Identifier: Apache-2.0
"""Recordings: reading, writing and showing rosbag2 files without a ROS install.

The names below are loaded when they are asked for, so that a command whose options are declared
in this room starts without numpy and the libraries for bags.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_FILES = {
    "BagError": "errors",
    "BagMessage": "reader",
    "BagReader": "reader",
    "BagTopic": "reader",
    "BagWriter": "writer",
    "RosbagsFactory": "factory",
    "TopicQos": "qos",
    "make_typestore": "typestore",
}

if not TYPE_CHECKING:  # a type checker shall find every name above, and miss every other

    def __getattr__(name: str) -> object:
        if name not in _FILES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
