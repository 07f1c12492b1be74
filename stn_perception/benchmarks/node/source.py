# SPDX-License-Identifier: Apache-2.0
"""The cameras and their detector: image, camera_info and boxes at a fixed rate.

Messages are serialized before the first one goes out; while a frame is being sent nothing but its
stamp is written. The stamp is the moment when the picture is due, so a source that is kept from
the processor makes the latency longer, not shorter.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stn_perception.benchmarks.node.cases import Case, case_of
from stn_perception.benchmarks.node.ros_process import TRANSPORTS, ros_node
from stn_perception.benchmarks.node.scene import Picture, pictures
from stn_perception.messages.stamps import time_fields
from stn_perception.node.message_factory import RclpyFactory, message_class
from stn_perception.node.stop_signal import StopSignal
from stn_perception.runtime.whole_file import write_whole_file

_STAMP = slice(4, 12)  # after the four bytes that tell the encoding, a header begins with it
_MATCH_TIMEOUT_S = 60.0
_SETTLE_S = 0.5  # a writer knows its reader before the reader knows the writer
_LINGER_S = 0.5


class Stamped:
    """A serialized message whose stamp can be set."""

    def __init__(self, message: Any) -> None:
        from rclpy.serialization import serialize_message

        octets = serialize_message(message)
        self._before, self._after = octets[: _STAMP.start], octets[_STAMP.stop :]

    def at(self, stamp_ns: int) -> bytes:
        """The message with this stamp."""
        octets: bytes = self._before + struct.pack("<iI", *time_fields(stamp_ns)) + self._after
        return octets


class Camera:
    """Publishers of one camera and what they send.

    Args:
        node: The rclpy node.
        name: Of the camera.
        case: The load.
        seed: Of its pictures.
    """

    def __init__(self, node: Any, name: str, case: Case, seed: int) -> None:
        self._factory = RclpyFactory()
        self.frame_id = f"{name}_optical"
        kinds = {
            "image": "sensor_msgs/msg/Image",
            "camera_info": "sensor_msgs/msg/CameraInfo",
            "detections": "vision_msgs/msg/Detection2DArray",
        }
        self.publishers = {
            kind: node.create_publisher(message_class(type_name), f"/{name}/{kind}", 10)
            for kind, type_name in kinds.items()
        }
        drawn = pictures(case.width, case.height, case.objects, seed)
        info = Stamped(self._camera_info(case))
        self._cycle = [
            {
                "image": Stamped(self._image(picture)),
                "camera_info": info,
                "detections": Stamped(self._detections(picture)),
            }
            for picture in drawn
        ]

    def messages(self, number: int, stamp_ns: int) -> dict[str, bytes]:
        """The messages of a frame, ready to be sent."""
        cycle = self._cycle[number % len(self._cycle)]
        return {kind: stamped.at(stamp_ns) for kind, stamped in cycle.items()}

    def _header(self) -> Any:
        return self._factory.make("std_msgs/msg/Header", frame_id=self.frame_id)

    def _image(self, picture: Picture) -> Any:
        height, width, channels = picture.pixels.shape
        return self._factory.make(
            "sensor_msgs/msg/Image",
            header=self._header(),
            height=height,
            width=width,
            encoding="rgb8",
            step=channels * width,
            data=self._factory.octets(picture.pixels),
        )

    def _camera_info(self, case: Case) -> Any:
        focal, x, y = 0.9 * case.width, (case.width - 1) / 2, (case.height - 1) / 2
        return self._factory.make(
            "sensor_msgs/msg/CameraInfo",
            header=self._header(),
            height=case.height,
            width=case.width,
            distortion_model="plumb_bob",
            d=[0.0] * 5,
            k=[focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0],
            r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            p=[focal, 0.0, x, 0.0, 0.0, focal, y, 0.0, 0.0, 0.0, 1.0, 0.0],
        )

    def _detections(self, picture: Picture) -> Any:
        message = self._factory.make("vision_msgs/msg/Detection2DArray", header=self._header())
        for index, (x, y, width, height) in enumerate(picture.boxes):
            detection = message_class("vision_msgs/msg/Detection2D")(id=str(index))
            box = detection.bbox
            box.center.position.x, box.center.position.y = x, y
            box.size_x, box.size_y = width, height
            hypothesis = message_class("vision_msgs/msg/ObjectHypothesisWithPose")()
            hypothesis.hypothesis.class_id, hypothesis.hypothesis.score = "label", 0.9
            detection.results.append(hypothesis)
            message.detections.append(detection)
        return message


def send(
    cameras: Sequence[Camera], frames: int, rate_hz: float, stop: StopSignal
) -> dict[str, Any]:
    """Send frames of all cameras at a fixed rate; the stamps and how late each was sent."""
    period_ns = round(1e9 / rate_hz)
    first_ns = time.time_ns() + 2 * period_ns
    stamps_ns: list[int] = []
    late_ms: list[float] = []
    for number in range(frames):
        due_ns = first_ns + number * period_ns
        ready = [camera.messages(number, due_ns) for camera in cameras]
        if stop.wait((due_ns - time.time_ns()) / 1e9):
            break
        late_ms.append((time.time_ns() - due_ns) / 1e6)
        for camera, messages in zip(cameras, ready, strict=True):
            for kind, octets in messages.items():
                camera.publishers[kind].publish(octets)
        stamps_ns.append(due_ns)
    return {"stamps_ns": stamps_ns, "late_ms": late_ms}


def wait_for_readers(cameras: Sequence[Camera], needed: Sequence[str], stop: StopSignal) -> bool:
    """Wait until somebody reads the needed topics of every camera."""
    deadline_s = time.monotonic() + _MATCH_TIMEOUT_S
    publishers = [camera.publishers[kind] for camera in cameras for kind in needed]
    while any(publisher.get_subscription_count() == 0 for publisher in publishers):
        if stop.wait(0.02) or time.monotonic() > deadline_s:
            return False
    return not stop.wait(_SETTLE_S)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the cameras as a process."""
    parser = argparse.ArgumentParser(description="Cameras and a detector.")
    parser.add_argument("case", type=case_of)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--transport", choices=TRANSPORTS, required=True)
    parser.add_argument("--needed", nargs="*", default=["image"], help="topics to be read first")
    parser.add_argument("--report", type=Path, required=True)
    parsed = parser.parse_args(argv)
    with ros_node("benchmark_source", parsed.transport) as (node, stop):
        names = parsed.case.camera_names
        cameras = [Camera(node, name, parsed.case, seed) for seed, name in enumerate(names)]
        if not wait_for_readers(cameras, parsed.needed, stop):
            print("nobody reads the images", file=sys.stderr)
            return 1
        sent = send(cameras, parsed.frames, parsed.rate, stop)
        stop.wait(_LINGER_S)
        write_whole_file(parsed.report, json.dumps(sent))
    return 0


if __name__ == "__main__":
    sys.exit(main())
