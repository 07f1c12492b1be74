# SPDX-License-Identifier: Apache-2.0
"""A made recording of one object lying about, with the truth beside it to score with.

    python -m stn_perception.training.own_bag.made_bag runs/made --frames 400 --seed 1
    python -m stn_perception.training.own_bag.made_bag runs/made_2 --frames 400 --seed 2 \
        --other-places

The object is a flat plate with a grip and a printed face, so that it looks different from every
side; it lies over photographs at any turn, a little tilted, in changing light. OUTPUT becomes a
bag with compressed images and a detections topic, ``truth.json`` beside it says where the face's
corners are in every frame. Another seed gives other frames of the same object.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags import BagWriter, RosbagsFactory, TopicQos
from stn_perception.geometry import AxisAlignedBox
from stn_perception.messages.factory import header
from stn_perception.messages.objects import detection, detection_array
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.scenes import HELD_OUT, TRAINING
from stn_perception.training.scenes.backgrounds import random_background
from stn_perception.training.scenes.materials import photograph
from stn_perception.training.view_axes import SQUARE

IMAGE_TOPIC, DETECTIONS_TOPIC = "/camera/image/compressed", "/camera/detections"
TRUTH_FILE = "truth.json"
_FACE_PX = 256
_START_NS = 1_767_225_600_000_000_000
_RATE_HZ = 15
_QOS = (TopicQos("reliable", "volatile", 10),)

Gray = NDArray[np.uint8]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class MadeBagSettings:
    """What a made recording shows.

    Attributes:
        frames: how many.
        width, height: of the frames, pixels.
        objects: which plates (0 or 1), one of them in every frame in turn.
        max_tilt: largest tilt out of the picture, radians.
        box_jitter: standard deviation of each edge of the given boxes, as a share of the side.
        other_places: lay them over other photographs.
    """

    frames: int = 400
    width: int = 640
    height: int = 480
    objects: tuple[int, ...] = (0,)
    max_tilt: float = 0.26
    box_jitter: float = 0.02
    other_places: bool = False


def face(kind: int) -> tuple[Gray, Gray]:
    """Return a plate's picture and its mask, both uint8 of 256×256."""
    size = _FACE_PX
    mask = np.zeros((size, size), np.uint8)
    names = ("astronaut.png", "camera.png")
    print_ = cv2.resize(photograph(names[kind])[0:300, 60:360], (size, size))
    picture = np.full((size, size), 205 if kind == 0 else 60, np.uint8)
    if kind == 0:
        cv2.rectangle(mask, (16, 40), (190, 236), 255, -1)
        cv2.ellipse(mask, (190, 130), (50, 62), 0, -90, 90, 255, -1)
        picture[60:150, 30:140] = print_[60:150, 80:190]
        cv2.putText(picture, "MUG 7", (30, 205), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 30, 5)
        cv2.ellipse(picture, (190, 130), (28, 40), 0, -90, 90, 70, -1)
    else:
        points = np.array([(128, 10), (245, 110), (200, 240), (30, 225), (60, 90)])
        cv2.fillPoly(mask, [points], 255)
        cv2.circle(picture, (130, 90), 38, 230, -1)
        picture[130:215, 70:190] = print_[100:185, 90:210]
        cv2.line(picture, (60, 110), (215, 215), 250, 9)
    return picture, mask


def pose(rng: np.random.Generator, settings: MadeBagSettings) -> Matrix:
    """Return frame_from_face, 3×3: face axes from -1 to 1 to pixels, any turn, a little tilt."""
    short = min(settings.width, settings.height)
    half = short * np.exp(rng.uniform(np.log(0.1), np.log(0.22)))
    axis, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(0, settings.max_tilt)
    tilted, _ = cv2.Rodrigues(np.array([np.cos(axis), np.sin(axis), 0.0]) * tilt)
    turned, _ = cv2.Rodrigues(np.array([0.0, 0.0, rng.uniform(0, 2 * np.pi)]))
    both = tilted @ turned
    # Seen from eight half sides away.
    matrix = np.column_stack([both[:, 0], both[:, 1], (0.0, 0.0, 8.0)])
    reach = 1.3 * half
    centre = rng.uniform([reach, reach], [settings.width - reach, settings.height - reach])
    camera = np.array([(8 * half, 0, centre[0]), (0, 8 * half, centre[1]), (0, 0, 1)])
    return np.asarray(camera @ matrix, dtype=np.float64)


def render(
    rng: np.random.Generator, settings: MadeBagSettings, kind: int
) -> tuple[Gray, Matrix, AxisAlignedBox]:
    """Return a frame, where the face's corners are in it (4×2 pixels), and the object's box."""
    picture, mask = face(kind)
    frame_from_face = pose(rng, settings)
    half = _FACE_PX / 2
    face_from_pixel = np.array(
        [(1 / half, 0, 0.5 / half - 1), (0, 1 / half, 0.5 / half - 1), (0, 0, 1)]
    )
    size = (settings.width, settings.height)
    matrix = frame_from_face @ face_from_pixel
    cover = cv2.warpPerspective(mask, matrix, size, flags=cv2.INTER_AREA).astype(np.float32) / 255
    seen = cv2.warpPerspective(picture, matrix, size, flags=cv2.INTER_AREA).astype(np.float32)
    places = HELD_OUT if settings.other_places else TRAINING
    behind = random_background(rng, places, *size).astype(np.float32)
    x = np.linspace(-1, 1, settings.width)[None] * rng.normal(0, 0.15)
    y = np.linspace(-1, 1, settings.height)[:, None] * rng.normal(0, 0.15)
    light = (1 + x + y) * np.exp(rng.normal(0, 0.2))
    frame = (behind * (1 - cover) + seen * cover) * light + rng.normal(0, 3, cover.shape)
    rows, columns = np.nonzero(cover > 0.5)
    low, high = np.array([columns.min(), rows.min()]), np.array([columns.max(), rows.max()])
    edges = np.stack([low - 0.5, high + 0.5])
    edges = edges + rng.normal(0, settings.box_jitter, (2, 2)) * (high - low)
    corners = cv2.perspectiveTransform(SQUARE[None], frame_from_face)[0]
    box = AxisAlignedBox.from_corners(edges)
    return np.clip(frame, 0, 255).astype(np.uint8), np.asarray(corners, np.float64), box


def make_bag(output: Path, settings: MadeBagSettings, seed: int) -> Path:
    """Write the recording and its truth.

    Args:
        output: folder of the bag; ``truth.json`` comes to lie in it.
        settings: what it shows.
        seed: of everything random.

    Returns:
        The truth's path.

    Raises:
        BagError: a bag is there already.
    """
    truth: list[dict[str, Any]] = []
    with BagWriter(output) as bag:
        factory = RosbagsFactory(bag.typestore)
        bag.add_topic(IMAGE_TOPIC, "sensor_msgs/msg/CompressedImage", _QOS)
        bag.add_topic(DETECTIONS_TOPIC, "vision_msgs/msg/Detection2DArray", _QOS)
        for index in range(settings.frames):
            kind = settings.objects[index % len(settings.objects)]
            rng = np.random.default_rng([seed, index])
            frame, corners, box = render(rng, settings, kind)
            stamp_ns = _START_NS + index * 1_000_000_000 // _RATE_HZ
            head = header(factory, stamp_ns, "camera_optical_frame")
            _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])
            image = factory.make(
                "sensor_msgs/msg/CompressedImage",
                header=head,
                format="mono8; jpeg compressed",
                data=factory.octets(np.asarray(data, dtype=np.uint8)),
            )
            name = f"plate_{kind}"
            found = detection(factory, head, box, id=name, class_id=name)
            bag.write_message(IMAGE_TOPIC, stamp_ns, image)
            bag.write_message(DETECTIONS_TOPIC, stamp_ns, detection_array(factory, head, [found]))
            objects = {name: np.round(corners, 4).tolist()}
            truth.append({"stamp_ns": stamp_ns, "part": "made", "objects": objects})
    path = output / TRUTH_FILE
    write_whole_file(path, json.dumps({"frames": truth}) + "\n")
    return path


def main() -> None:
    """Write a made recording."""
    parser = argparse.ArgumentParser(description="Make a recording of one object, with truth.")
    parser.add_argument("output", type=Path, help="folder of the bag")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--both", action="store_true", help="two objects in turn")
    parser.add_argument("--other-places", action="store_true", help="over other photographs")
    parsed = parser.parse_args()
    settings = MadeBagSettings(
        frames=parsed.frames,
        objects=(0, 1) if parsed.both else (0,),
        other_places=parsed.other_places,
    )
    print(f"{settings.frames} frames; truth: {make_bag(parsed.output, settings, parsed.seed)}")


if __name__ == "__main__":
    main()
