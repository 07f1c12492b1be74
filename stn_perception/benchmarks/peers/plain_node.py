# SPDX-License-Identifier: Apache-2.0
"""The peer of ``stn bench node``: the same job as a plainly written rclpy node.

What tutorials lead to: default quality of service and transport, ``cv_bridge``'s conversion, one
callback that does everything, the frame as a float tensor, the network called as it was loaded,
``grid_sample`` for crops and views, ``tobytes`` to publish. It is no straw man: it runs the same
network as the canonicalizer, all boxes of a frame in one batch, without gradients, and it warms up
before it subscribes. It runs the network once a box and refines nothing, where the canonicalizer
looks again as often as the model's card says (``planar``: twice a box in all), so it has less to
compute and gives the network's first answer. It keeps no tracks, knows no camera, and reports no
covariance or pose.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import rclpy
import torch
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image
from torch.nn import functional
from vision_msgs.msg import Detection2D, Detection2DArray, ObjectHypothesisWithPose

CROP_PX = 64
VIEW_PX = 128
BOX_MARGIN = 1.25  # of the network's card, as is its gray input
GRAY = (0.299, 0.587, 0.114)
_WAITING_FRAMES = 10


def imgmsg_to_cv2(message: Image) -> Any:
    """An image as ``cv_bridge`` converts it with ``desired_encoding='rgb8'``."""
    channels = {"rgb8": 3, "bgr8": 3, "mono8": 1}[message.encoding]
    pixels = np.ndarray((message.height, message.width, channels), np.uint8, message.data)
    if message.encoding == "bgr8":
        return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return pixels


def cv2_to_imgmsg(pixels: Any, header: Any) -> Image:
    """A view as ``cv_bridge`` makes it a message."""
    message = Image(header=header, encoding="rgb8")
    message.height, message.width = pixels.shape[:2]
    message.step = 3 * message.width
    message.data = pixels.tobytes()
    return message


def projective_grid(theta: torch.Tensor, size_px: int) -> torch.Tensor:
    """What ``affine_grid`` gives for N×2×3, for N×3×3."""
    plane = torch.eye(2, 3).unsqueeze(0)
    xy = functional.affine_grid(plane, [1, 1, size_px, size_px], align_corners=False)
    points = torch.cat([xy, torch.ones_like(xy[..., :1])], dim=-1).reshape(1, -1, 3)
    mapped = points @ theta.transpose(1, 2)
    grid = mapped[..., :2] / mapped[..., 2:]
    return grid.reshape(-1, size_px, size_px, 2)


def keep(waiting: dict[Any, Any], key: Any, message: Any) -> None:
    """Let a message wait for its partner, and the oldest go."""
    waiting[key] = message
    while len(waiting) > _WAITING_FRAMES:
        waiting.pop(next(iter(waiting)))


class PlainStnNode(Node):  # type: ignore[misc]
    """Views of the boxes of each frame.

    Args:
        model: TorchScript file.
        cameras: Names of the cameras.
        objects: Number of view topics per camera.
    """

    def __init__(self, model: str, cameras: Sequence[str], objects: int) -> None:
        super().__init__("plain_stn")
        self.network = torch.jit.load(model).eval()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            for _ in range(3):
                self.network(torch.zeros(objects, 1, CROP_PX, CROP_PX))
        self.images: dict[Any, Image] = {}
        self.boxes: dict[Any, Detection2DArray] = {}
        self.received = 0
        self.views = {
            camera: [
                self.create_publisher(Image, f"/plain/{camera}/view_{number}", 10)
                for number in range(objects)
            ]
            for camera in cameras
        }
        self.results = {
            camera: self.create_publisher(Detection2DArray, f"/plain/{camera}/objects", 10)
            for camera in cameras
        }
        for camera in cameras:
            self.create_subscription(
                Image, f"/{camera}/image", lambda m, c=camera: self.on_image(c, m), 10
            )
            self.create_subscription(
                Detection2DArray,
                f"/{camera}/detections",
                lambda m, c=camera: self.on_detections(c, m),
                10,
            )

    def on_image(self, camera: str, image: Image) -> None:
        """Work once the boxes are there."""
        self.received += 1
        key = (camera, image.header.stamp.sec, image.header.stamp.nanosec)
        boxes = self.boxes.pop(key, None)
        if boxes is not None:
            self.process(camera, image, boxes)
        else:
            keep(self.images, key, image)

    def on_detections(self, camera: str, boxes: Detection2DArray) -> None:
        """Work once the image is there."""
        key = (camera, boxes.header.stamp.sec, boxes.header.stamp.nanosec)
        image = self.images.pop(key, None)
        if image is not None:
            self.process(camera, image, boxes)
        else:
            keep(self.boxes, key, boxes)

    def process(self, camera: str, image: Image, message: Detection2DArray) -> None:
        """Do the whole job for one frame."""
        pixels = imgmsg_to_cv2(image)
        frame = torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0).float() / 255.0
        with torch.no_grad():
            boxes = self.box_transforms(message, image.width, image.height)
            frames = frame.expand(len(boxes), -1, -1, -1)
            crops = functional.grid_sample(
                frames, projective_grid(boxes, CROP_PX), align_corners=False
            )
            gray = (crops * torch.tensor(GRAY).reshape(1, 3, 1, 1)).sum(dim=1, keepdim=True)
            theta = self.network(gray)
            theta = theta["theta"] if isinstance(theta, dict) else theta
            views = functional.grid_sample(
                frames, projective_grid(boxes @ theta, VIEW_PX), align_corners=False
            )
            octets = (views * 255.0).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
        for publisher, view in zip(self.views[camera], octets, strict=False):
            publisher.publish(cv2_to_imgmsg(view, image.header))
        self.results[camera].publish(self.result(message))

    def box_transforms(self, message: Detection2DArray, width: int, height: int) -> torch.Tensor:
        """N×3×3, frame from crop in normalised axes."""
        rows = []
        for detection in message.detections:
            box = detection.bbox
            x = 2 * (box.center.position.x + 0.5) / width - 1
            y = 2 * (box.center.position.y + 0.5) / height - 1
            w, h = BOX_MARGIN * box.size_x / width, BOX_MARGIN * box.size_y / height
            rows.append([[w, 0.0, x], [0.0, h, y], [0.0, 0.0, 1.0]])
        return torch.tensor(rows, dtype=torch.float32)

    def result(self, message: Detection2DArray) -> Detection2DArray:
        """What was found: here the boxes that came."""
        found = Detection2DArray(header=message.header)
        for detection in message.detections:
            out = Detection2D(header=message.header, bbox=detection.bbox, id=detection.id)
            result = ObjectHypothesisWithPose()
            result.hypothesis.class_id = "label"
            result.hypothesis.score = 1.0
            out.results.append(result)
            found.detections.append(out)
        return found


def main(argv: Sequence[str] | None = None) -> int:
    """Run the plain node."""
    parser = argparse.ArgumentParser(description="A plainly written STN node.")
    parser.add_argument("model")
    parser.add_argument("--cameras", nargs="+", required=True)
    parser.add_argument("--objects", type=int, required=True)
    parsed = parser.parse_args(argv)
    rclpy.init()
    node = PlainStnNode(parsed.model, parsed.cameras, parsed.objects)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        print(f"received {node.received}", flush=True)
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
