# SPDX-License-Identifier: Apache-2.0
"""A consumer that knows nothing of stn_perception: ROS 2, NumPy and OpenCV alone.

It takes what the node publishes, maps each view's corners into the source image through
P[:, :3]·R·K⁻¹ of the view's CameraInfo, and keeps everything in one file a message, named by
topic and stamp, for `test_views_lead_back.py` to judge. `/tf` is kept as it came.

    consumer.py FOLDER SLOTS READY_FILE     ends on SIGINT or SIGTERM
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSHistoryPolicy, QoSProfile, QoSReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from tf2_msgs.msg import TFMessage
from vision_msgs.msg import Detection2DArray


def stamp_of(header):
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def pixels_of(message):
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    channels = {"mono8": 1, "rgb8": 3, "bgr8": 3}[message.encoding]
    pixels = rows[:, : message.width * channels].reshape(message.height, message.width, channels)
    return pixels[:, :, ::-1] if message.encoding == "rgb8" else pixels


def ignore(message):
    pass


class Consumer(Node):
    def __init__(self, folder, slots):
        super().__init__("independent_consumer")
        self.folder = folder
        self.transforms = {}
        reliable = QoSProfile(
            history=QoSHistoryPolicy.KEEP_LAST,
            depth=200,
            reliability=QoSReliabilityPolicy.RELIABLE,
        )
        view = "/canonicalizer/camera"
        self.create_subscription(
            CompressedImage, "/camera/image/compressed", self.keep_source, reliable
        )
        # Of no use here: the player waits for two readers of every topic, this and the node.
        self.create_subscription(CameraInfo, "/camera/camera_info", ignore, reliable)
        self.create_subscription(Detection2DArray, "/camera/detections", ignore, reliable)
        self.create_subscription(Image, f"{view}/overlay", self.keep("overlay"), reliable)
        self.create_subscription(TFMessage, "/tf", self.keep_transforms, reliable)
        for slot in range(slots):
            topic = f"{view}/object_{slot}"
            self.create_subscription(
                Image, f"{topic}/image_rect", self.keep(f"view{slot}"), reliable
            )
            self.create_subscription(
                CameraInfo, f"{topic}/camera_info", self.keep_corners(slot), reliable
            )

    def keep_source(self, message):
        pixels = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR)
        np.save(self.folder / f"source-{stamp_of(message.header)}.npy", pixels)

    def keep(self, kind):
        def callback(message):
            np.save(self.folder / f"{kind}-{stamp_of(message.header)}.npy", pixels_of(message))

        return callback

    def keep_corners(self, slot):
        def callback(info):
            source_camera = np.reshape(info.k, (3, 3))
            projection = np.reshape(info.p, (3, 4))[:, :3]
            rotation = np.reshape(info.r, (3, 3))
            view_from_source = projection @ rotation @ np.linalg.inv(source_camera)
            width, height = info.width, info.height
            corners = np.array(
                [
                    [-0.5, -0.5, 1],
                    [width - 0.5, -0.5, 1],
                    [width - 0.5, height - 0.5, 1],
                    [-0.5, height - 0.5, 1],
                ]
            )
            mapped = corners @ np.linalg.inv(view_from_source).T
            record = {
                "frame_id": info.header.frame_id,
                "corners": (mapped[:, :2] / mapped[:, 2:]).tolist(),
                "view_from_source": view_from_source.tolist(),
                "k": list(info.k),
                "r": list(info.r),
                "p": list(info.p),
                "size": [width, height],
            }
            path = self.folder / f"info{slot}-{stamp_of(info.header)}.json"
            path.write_text(json.dumps(record))

        return callback

    def keep_transforms(self, message):
        for transform in message.transforms:
            turn = transform.transform.rotation
            key = f"{transform.child_frame_id}@{stamp_of(transform.header)}"
            self.transforms[key] = [
                transform.header.frame_id,
                [turn.x, turn.y, turn.z, turn.w],
            ]


def main():
    folder, slots, ready = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    rclpy.init()
    consumer = Consumer(folder, slots)
    ready.touch()
    try:
        rclpy.spin(consumer)
    except (KeyboardInterrupt, ExternalShutdownException):
        (folder / "transforms.json").write_text(json.dumps(consumer.transforms))


if __name__ == "__main__":
    main()
