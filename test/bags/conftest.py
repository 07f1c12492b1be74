# SPDX-License-Identifier: Apache-2.0
"""Recordings that several tests of bags start from."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stn_perception.bags import BagWriter, RosbagsFactory, TopicQos

FACTORY = RosbagsFactory()


def header(stamp_ns: int):
    time = FACTORY.make(
        "builtin_interfaces/msg/Time", sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    return FACTORY.make("std_msgs/msg/Header", stamp=time, frame_id="camera")


def detections(stamp_ns: int):
    position = FACTORY.make("vision_msgs/msg/Point2D", x=10.5, y=20.25)
    center = FACTORY.make("vision_msgs/msg/Pose2D", position=position, theta=0.5)
    box = FACTORY.make("vision_msgs/msg/BoundingBox2D", center=center, size_x=30.0, size_y=40.0)
    detection = FACTORY.make(
        "vision_msgs/msg/Detection2D", header=header(stamp_ns), results=[], bbox=box, id="sign"
    )
    return FACTORY.make(
        "vision_msgs/msg/Detection2DArray", header=header(stamp_ns), detections=[detection]
    )


def write(path: Path, count: int = 5, storage: str = "mcap", **options) -> None:
    with BagWriter(path, storage=storage, **options) as bag:
        qos = TopicQos("best_effort", "transient_local", 7)
        bag.add_topic("/boxes", "vision_msgs/msg/Detection2DArray", (qos,))
        bag.add_topic("/words", "std_msgs/msg/String")
        for index in range(count):
            bag.write_message("/boxes", index * 1000, detections(index * 10**9 + 5))
            bag.write_message(
                "/words", index * 1000, FACTORY.make("std_msgs/msg/String", data=f"word {index}")
            )


@pytest.fixture
def write_bag() -> Callable[..., None]:
    """Write boxes and words at each microsecond, by path, count, storage and writer's options."""
    return write


@pytest.fixture(scope="module")
def browser() -> Iterator:
    playwright_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium is installed")
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()
