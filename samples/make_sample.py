# SPDX-License-Identifier: Apache-2.0
"""Make the sample recording from pictures of a real robot's camera.

    python samples/make_sample.py PICTURES

PICTURES is the folder with ``test_image_multiple_0?.png`` of ``lib-dt-apriltags`` (see
``duckiebot/SOURCE.md``). The recording holds two parts:

* the stills as they are, each held for several frames, with the camera's own K;
* a motion that is computed: a camera of longer focal length turning about the optical centre
  that took the last still. Such a camera sees ``frame_from_picture = K' R K^-1`` of the picture
  (Hartley and Zisserman, section 8.4), so the sign corners of every frame follow exactly from the
  labels.

``truth.json`` gives the corners and that homography for every stamp.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags import BagWriter, RosbagsFactory, TopicQos
from stn_perception.geometry import AxisAlignedBox, Pose
from stn_perception.messages.factory import header
from stn_perception.messages.objects import bounding_box
from stn_perception.messages.poses import pose_with_covariance

HERE = Path(__file__).parent / "duckiebot"
WIDTH, HEIGHT = 640, 480
# test_info.yaml of the source, multiple_tags_test.
K = np.array(
    [
        [338.563277422543, 0.0, 336.45495347495824],
        [0.0, 338.939280638548, 230.486982216255],
        [0.0, 0.0, 1.0],
    ]
)
# The last still is the one that the motion continues from.
STILLS = tuple(f"test_image_multiple_0{number}.png" for number in (1, 3, 4, 5, 6, 2))
STILL_FRAMES, STILL_RATE_HZ = 8, 10
MOTION_SECONDS, MOTION_RATE_HZ = 9, 15
MOTION_FOCAL_PX = 490.0
STILL_JPEG_QUALITY, MOTION_JPEG_QUALITY = 98, 88
START_NS = 1_767_225_600_000_000_000
# CameraInfo precedes its image, so that whoever latches it has it in time.
INFO_LEAD_NS = 10_000_000
RELIABLE = (TopicQos("reliable", "volatile", 10),)
TOPICS = {
    "/camera/camera_info": "sensor_msgs/msg/CameraInfo",
    "/camera/image/compressed": "sensor_msgs/msg/CompressedImage",
    "/camera/detections": "vision_msgs/msg/Detection2DArray",
}


@dataclass(frozen=True)
class SampleFrame:
    """One frame of the recording; ``objects`` maps sign ids to 4x2 corners in its pixels."""

    stamp_ns: int
    part: str
    picture: str
    frame_id: str
    intrinsics: NDArray[np.float64]
    frame_from_picture: NDArray[np.float64]
    jpeg: NDArray[np.uint8]
    objects: dict[str, NDArray[np.float64]]


def rotation(pan: float, tilt: float, roll: float) -> NDArray[np.float64]:
    """Rotation from the still's optical frame to the turned one, angles in degrees."""
    x, y, z = np.radians([tilt, pan, roll])
    turns = [cv2.Rodrigues(np.array(axis))[0] for axis in ([x, 0, 0], [0, y, 0], [0, 0, z])]
    return np.asarray(turns[2] @ turns[0] @ turns[1], dtype=np.float64)


def motion(seconds: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Intrinsics of the turning camera, and its rotation ``seconds`` after it started."""
    phase = 2 * np.pi * seconds / MOTION_SECONDS
    turned = rotation(
        pan=1.0 + 5.0 * np.sin(phase),
        tilt=-6.0 + 4.0 * np.sin(2 * phase),
        roll=32.0 * np.sin(phase) + 8.0 * np.sin(2 * phase),
    )
    focal = MOTION_FOCAL_PX
    return np.array([[focal, 0, 319.5], [0, focal, 239.5], [0, 0, 1.0]]), turned


def transformed(H: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points N x 2 mapped by a homography."""
    return cv2.perspectiveTransform(points[None], H)[0]


def encode(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """JPEG bytes of a BGR picture."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].reshape(-1)


def load(folder: Path, name: str) -> NDArray[np.uint8]:
    """Read a picture, or say which one is missing."""
    picture = cv2.imread(str(folder / name), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{folder / name} is missing or no picture.")
    if picture.shape != (HEIGHT, WIDTH, 3):
        raise SystemExit(f"{name} is {picture.shape[1]}x{picture.shape[0]}, expected 640x480.")
    return np.asarray(picture, dtype=np.uint8)


def frames(folder: Path, labels: dict[str, dict[str, Any]]) -> Iterator[SampleFrame]:
    """Yield the stills, then the motion over the last of them."""
    stamp_ns = START_NS
    corners = {
        name: {sign: np.array(quad) for sign, quad in labels[name].items()} for name in STILLS
    }
    for name in STILLS:
        jpeg = encode(load(folder, name), STILL_JPEG_QUALITY)
        for _ in range(STILL_FRAMES):
            yield SampleFrame(
                stamp_ns, "still", name, "camera_optical_frame", K, np.eye(3), jpeg, corners[name]
            )
            stamp_ns += 1_000_000_000 // STILL_RATE_HZ
    name = STILLS[-1]
    picture = load(folder, name)
    motion_start_ns = stamp_ns
    for index in range(MOTION_SECONDS * MOTION_RATE_HZ):
        intrinsics, turned = motion(index / MOTION_RATE_HZ)
        H = intrinsics @ turned @ np.linalg.inv(K)
        warped = cv2.warpPerspective(picture, H, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
        quads = {sign: transformed(H, quad) for sign, quad in corners[name].items()}
        yield SampleFrame(
            motion_start_ns + index * 1_000_000_000 // MOTION_RATE_HZ,
            "motion",
            name,
            "camera_zoom_optical_frame",
            intrinsics,
            H,
            encode(np.asarray(warped, dtype=np.uint8), MOTION_JPEG_QUALITY),
            {sign: quad for sign, quad in quads.items() if wholly_visible(quad)},
        )


def wholly_visible(quad: NDArray[np.float64]) -> bool:
    """Tell whether all corners lie inside the frame."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    return bool((low >= 0).all() and (high <= [WIDTH - 1, HEIGHT - 1]).all())


class Messages:
    """The three messages of a frame."""

    def __init__(self, factory: RosbagsFactory) -> None:
        self.make = factory.make
        self.factory = factory

    def header(self, frame: SampleFrame) -> Any:
        """Header of all three."""
        return header(self.factory, frame.stamp_ns, frame.frame_id)

    def image(self, frame: SampleFrame) -> Any:
        """The picture as it lies in the recording."""
        return self.make(
            "sensor_msgs/msg/CompressedImage",
            header=self.header(frame),
            format="bgr8; jpeg compressed bgr8",
            data=self.factory.octets(frame.jpeg),
        )

    def camera_info(self, frame: SampleFrame) -> Any:
        """Intrinsics of an already rectified image: no distortion, R = I, P = [K|0]."""
        floats = self.factory.floats64
        roi = self.make(
            "sensor_msgs/msg/RegionOfInterest",
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        )
        return self.make(
            "sensor_msgs/msg/CameraInfo",
            header=self.header(frame),
            height=HEIGHT,
            width=WIDTH,
            distortion_model="plumb_bob",
            d=floats([0.0] * 5),
            k=floats(frame.intrinsics.ravel()),
            r=floats(np.eye(3).ravel()),
            p=floats(np.hstack([frame.intrinsics, np.zeros((3, 1))]).ravel()),
            binning_x=0,
            binning_y=0,
            roi=roi,
        )

    def detections(self, frame: SampleFrame) -> Any:
        """The axis-aligned bounding boxes of the panels, as a detector would give them."""
        return self.make(
            "vision_msgs/msg/Detection2DArray",
            header=self.header(frame),
            detections=[self._detection(frame, *item) for item in frame.objects.items()],
        )

    def _detection(self, frame: SampleFrame, sign: str, quad: NDArray[np.float64]) -> Any:
        low, high = quad.min(axis=0), quad.max(axis=0)
        hypothesis = self.make(
            "vision_msgs/msg/ObjectHypothesisWithPose",
            hypothesis=self.make(
                "vision_msgs/msg/ObjectHypothesis", class_id="road_sign", score=1.0
            ),
            pose=pose_with_covariance(
                self.factory, Pose(np.eye(3), np.zeros(3)), np.zeros((6, 6))
            ),
        )
        return self.make(
            "vision_msgs/msg/Detection2D",
            header=self.header(frame),
            results=[hypothesis],
            bbox=bounding_box(self.factory, AxisAlignedBox(*(low + high) / 2, *(high - low))),
            id=sign,
        )


def truth_of(frame: SampleFrame) -> dict[str, Any]:
    """What truth.json says about a frame."""
    return {
        "stamp_ns": frame.stamp_ns,
        "part": frame.part,
        "picture": frame.picture,
        "frame_from_picture": [float(f"{v:.12g}") for v in frame.frame_from_picture.ravel()],
        "objects": {sign: np.round(quad, 4).tolist() for sign, quad in frame.objects.items()},
    }


def main() -> None:
    """Write the recording and its truth."""
    parser = argparse.ArgumentParser(description="Make the sample recording.")
    parser.add_argument("pictures", type=Path, help="folder with test_image_multiple_0?.png")
    folder = parser.parse_args().pictures
    labels = json.loads((HERE / "labels.json").read_text(encoding="utf-8"))["pictures"]
    truth = []
    with tempfile.TemporaryDirectory() as scratch:
        bag_path = Path(scratch) / HERE.name
        with BagWriter(bag_path) as bag:
            messages = Messages(RosbagsFactory(bag.typestore))
            for topic, type_name in TOPICS.items():
                bag.add_topic(topic, type_name, RELIABLE)
            for frame in frames(folder, labels):
                info_ns = frame.stamp_ns - INFO_LEAD_NS
                bag.write_message("/camera/camera_info", info_ns, messages.camera_info(frame))
                image = messages.image(frame)
                bag.write_message("/camera/image/compressed", frame.stamp_ns, image)
                detections = messages.detections(frame)
                bag.write_message("/camera/detections", frame.stamp_ns, detections)
                truth.append(truth_of(frame))
        for file in bag_path.iterdir():
            shutil.copyfile(file, HERE / file.name)
    lines = ",\n".join(json.dumps(entry) for entry in truth)
    about = (
        "corners in pixels of the frame, pixel centres at whole numbers; order as in labels.json"
    )
    text = f'{{"camera": "camera", "about": {json.dumps(about)}, "frames": [\n{lines}\n]}}\n'
    (HERE / "truth.json").write_text(text, encoding="utf-8")
    size = sum(file.stat().st_size for file in HERE.iterdir())
    print(f"{len(truth)} frames, {size / 1e6:.2f} MB in {HERE}")


if __name__ == "__main__":
    main()
