# SPDX-License-Identifier: Apache-2.0
"""ROS 1 recordings, message by message in the form of ROS 2."""

from stn_perception.bags.ros1.recording import Ros1Recording

__all__ = ["Ros1Recording"]
