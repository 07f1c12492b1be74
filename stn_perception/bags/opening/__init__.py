# SPDX-License-Identifier: Apache-2.0
"""Open any recording: from a URL, from ROS 1, damaged or without metadata."""

from stn_perception.bags.opening.opened import OpenedBag, opened
from stn_perception.bags.opening.topics import CameraTopics, camera_topics, image_topics

__all__ = ["CameraTopics", "OpenedBag", "camera_topics", "image_topics", "opened"]
