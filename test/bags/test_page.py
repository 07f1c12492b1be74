# SPDX-License-Identifier: Apache-2.0
"""The page shows what was recorded, and says what it measures."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.page import errors_percent, write_page
from stn_perception.bags.recorded_frames import read_frames
from stn_perception.bags.summary import RunSummary
from stn_perception.geometry import (
    AxisAlignedBox,
    PinholeIntrinsics,
    homography_from_corners,
    view_corners,
)
from stn_perception.geometry.virtual_camera import virtual_camera
from stn_perception.messages.camera_info import camera_info_from_virtual_camera
from stn_perception.messages.factory import header
from stn_perception.messages.images import encode_image
from stn_perception.messages.objects import detection, detection_array

SAMPLE = Path(__file__).parents[2] / "samples" / "duckiebot"
IMAGE, INFO = "/camera/image/compressed", "/camera/camera_info"
OUTPUTS = "/canonicalizer/camera"
SIDE = 96
SHIFT = np.array([1.0, 0.0])


def summary(**changes) -> RunSummary:
    values = {
        "frames_published": 20,
        "frames_received": 20,
        "frames_processed": 18,
        "views_published": 80,
        "dropped": {"unpaired": 2},
        "latency_ms": list(range(1, 101)),
        "views_received": 80,
        "duration_s": 2.0,
        "model": "planar",
        "device": "cpu",
    }
    return RunSummary(**{**values, **changes})


@pytest.fixture(scope="module")
def truth():
    entries = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    return {
        e["stamp_ns"]: (e["part"], {k: np.array(q) for k, q in e["objects"].items()})
        for e in entries
    }


@pytest.fixture(scope="module")
def recording(tmp_path_factory, truth):
    """What the node records when its corners are one pixel right of the true ones."""
    folder = tmp_path_factory.mktemp("run") / "recording"
    with BagReader(SAMPLE) as sample, BagWriter(folder) as bag:
        factory = RosbagsFactory(bag.typestore)
        bag.add_topic(IMAGE, "sensor_msgs/msg/CompressedImage")
        bag.add_topic(f"{OUTPUTS}/objects", "vision_msgs/msg/Detection2DArray")
        for slot in range(6):
            bag.add_topic(f"{OUTPUTS}/object_{slot}/image_rect", "sensor_msgs/msg/Image")
            bag.add_topic(f"{OUTPUTS}/object_{slot}/camera_info", "sensor_msgs/msg/CameraInfo")
        messages = list(sample.messages())
        for index in range(0, len(messages), 24):
            info, image = (sample.deserialize(m) for m in messages[index : index + 2])
            stamp_ns = messages[index + 1].time_ns
            bag.write_message(IMAGE, stamp_ns, image)
            source = header(factory, stamp_ns, image.header.frame_id)
            pixels = cv2.imdecode(image.data, cv2.IMREAD_COLOR)
            K = PinholeIntrinsics(info.k.reshape(3, 3), np.zeros(3), 640, 480, "camera")
            found = []
            for slot, (name, quad) in enumerate(truth[stamp_ns][1].items()):
                frame_from_view = homography_from_corners(quad + SHIFT, view_corners(SIDE, SIDE))
                view_from_frame = np.linalg.inv(frame_from_view)
                camera = virtual_camera(view_from_frame, K, SIDE, SIDE)
                view = cv2.warpPerspective(pixels, view_from_frame, (SIDE, SIDE))
                prefix = f"{OUTPUTS}/object_{slot}"
                bag.write_message(
                    f"{prefix}/image_rect", stamp_ns, encode_image(factory, source, view, "bgr")
                )
                bag.write_message(
                    f"{prefix}/camera_info",
                    stamp_ns,
                    camera_info_from_virtual_camera(factory, source, camera),
                )
                box = AxisAlignedBox(*quad.mean(axis=0), *np.ptp(quad, axis=0))
                found.append(detection(factory, source, box, id=name, slot=slot))
            objects = detection_array(factory, source, found)
            bag.write_message(f"{OUTPUTS}/objects", stamp_ns, objects)
    return folder


def test_corners_are_read_from_the_views_camera_info(recording, truth):
    frames = read_frames(recording, IMAGE, OUTPUTS, truth)
    assert len(frames) == 23
    for frame in frames:
        assert {view.object_id for view in frame.views} == set(frame.truth)
        for view in frame.views:
            np.testing.assert_allclose(view.quad, frame.truth[view.object_id] + SHIFT, atol=1e-6)
    # One pixel off on signs of 64 to 110 pixels.
    assert 0.9 < np.median(errors_percent(frames, "motion")) < 1.6


def test_the_page_is_one_file_with_pictures_and_numbers(recording, truth, tmp_path):
    frames = read_frames(recording, IMAGE, OUTPUTS, truth)
    write_page(tmp_path, frames, summary())
    page = (tmp_path / "index.html").read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    for expected in ("2 unpaired", "sign 198", "50.5 / 95.0 / 99.0 ms", "planar on cpu"):
        assert expected in page
    assert page.count("data:image/jpeg") > 60
    picture = cv2.imread(str(tmp_path / "demo.png"))
    assert picture.shape[0] == 480 and picture.shape[1] > 900


def test_a_recording_without_truth_or_views_still_makes_a_page(recording, tmp_path):
    frames = read_frames(recording, IMAGE, OUTPUTS, {})
    write_page(tmp_path, frames, summary())
    assert "How exact" not in (tmp_path / "index.html").read_text()
    write_page(tmp_path, [], summary(latency_ms=[], frames_processed=0))
    assert "- / - / - ms" in (tmp_path / "index.html").read_text()


def test_the_summary_tells_whether_every_frame_is_accounted_for():
    assert summary().balanced
    assert not summary(frames_received=19).balanced
    assert not summary(dropped={}).balanced
    numbers = summary().as_json()
    assert numbers["latency_ms"] == {"p50": 50.5, "p95": 95.05, "p99": 99.01}
    assert numbers["dropped"] == {"unpaired": 2}
