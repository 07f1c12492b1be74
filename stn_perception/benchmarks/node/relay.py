# SPDX-License-Identifier: Apache-2.0
"""The floor of ``stn bench node``: the same messages in and out, and no work between them.

It takes images and boxes as a plain rclpy subscription does, with the tuned transport, and answers
each image with serialized views and results. What it needs, no Python node can do without.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from stn_perception.benchmarks.node.ros_process import receiving, ros_node
from stn_perception.benchmarks.node.source import Stamped
from stn_perception.messages.stamps import stamp_ns
from stn_perception.node.message_factory import RclpyFactory, message_class
from stn_perception.node.qos import sensor_qos

VIEW_PX = 128


class Relay:
    """Answers every image.

    Args:
        node: The rclpy node.
        cameras: Names of the cameras.
        objects: Views per frame.
    """

    def __init__(self, node: Any, cameras: Sequence[str], objects: int) -> None:
        factory = RclpyFactory()
        pixels = np.zeros((VIEW_PX, VIEW_PX, 3), np.uint8)
        image, found = (
            message_class("sensor_msgs/msg/Image"),
            message_class("vision_msgs/msg/Detection2DArray"),
        )
        self.received = 0
        self._view = Stamped(
            factory.make(
                "sensor_msgs/msg/Image",
                header=factory.make("std_msgs/msg/Header", frame_id="view"),
                height=VIEW_PX,
                width=VIEW_PX,
                encoding="rgb8",
                step=3 * VIEW_PX,
                data=factory.octets(pixels),
            )
        )
        detection = message_class("vision_msgs/msg/Detection2D")
        self._result = Stamped(found(detections=[detection() for _ in range(objects)]))
        self._views = {
            camera: [
                node.create_publisher(image, f"/relay/{camera}/view_{number}", 10)
                for number in range(objects)
            ]
            for camera in cameras
        }
        self._results = {
            camera: node.create_publisher(found, f"/relay/{camera}/objects", 10)
            for camera in cameras
        }
        for camera in cameras:
            node.create_subscription(
                image, f"/{camera}/image", lambda m, c=camera: self._answer(c, m), sensor_qos()
            )
            node.create_subscription(
                found, f"/{camera}/detections", lambda m: None, sensor_qos(10)
            )

    def _answer(self, camera: str, message: Any) -> None:
        self.received += 1
        stamp = stamp_ns(message)
        view = self._view.at(stamp)
        for publisher in self._views[camera]:
            publisher.publish(view)
        self._results[camera].publish(self._result.at(stamp))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the relay as a process until it is told to end."""
    parser = argparse.ArgumentParser(description="Images in, views out, no work between.")
    parser.add_argument("--cameras", nargs="+", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parsed = parser.parse_args(argv)
    with ros_node("relay") as (node, stop), receiving(node) as take_until:
        relay = Relay(node, parsed.cameras, parsed.objects)
        take_until(stop.is_set)
        print(f"received {relay.received}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
