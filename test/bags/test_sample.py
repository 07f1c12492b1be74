# SPDX-License-Identifier: Apache-2.0
"""The sample recording holds what its description says, checked by independent means."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagReader
from stn_perception.bags.typestore import header_stamp_ns

SAMPLE = Path(__file__).parents[2] / "samples" / "duckiebot"
IMAGE, INFO, BOXES = "/camera/image/compressed", "/camera/camera_info", "/camera/detections"


@pytest.fixture(scope="module")
def sample():
    """Messages of each topic by stamp."""
    messages = {IMAGE: {}, INFO: {}, BOXES: {}}
    with BagReader(SAMPLE) as bag:
        for message in bag.messages():
            messages[message.topic][header_stamp_ns(message.data)] = bag.deserialize(message)
    return messages


@pytest.fixture(scope="module")
def truth():
    return json.loads((SAMPLE / "truth.json").read_text())["frames"]


def tags_in(message) -> dict[str, np.ndarray]:
    gray = cv2.imdecode(message.data, cv2.IMREAD_GRAYSCALE)
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(gray)
    found = [] if ids is None else ids.ravel().tolist()
    return {f"sign_{i}": c.reshape(4, 2) for i, c in zip(found, corners, strict=True)}


def test_every_frame_has_image_intrinsics_boxes_and_truth(sample, truth):
    stamps = [frame["stamp_ns"] for frame in truth]
    assert stamps == sorted(set(stamps))
    for topic in (IMAGE, INFO, BOXES):
        assert list(sample[topic]) == stamps
    steps = np.diff(stamps)
    assert set(np.unique(steps[:48])) == {100_000_000}
    assert set(np.unique(steps[48:])) <= {66_666_666, 66_666_667}


def test_boxes_are_the_tight_boxes_of_the_true_corners(sample, truth):
    for frame in truth:
        boxes = sample[BOXES][frame["stamp_ns"]].detections
        assert [box.id for box in boxes] == list(frame["objects"])
        for box in boxes:
            quad = np.array(frame["objects"][box.id])
            center = box.bbox.center.position
            size = np.array([box.bbox.size_x, box.bbox.size_y])
            np.testing.assert_allclose([center.x, center.y] - size / 2, quad.min(0), atol=1e-3)
            np.testing.assert_allclose([center.x, center.y] + size / 2, quad.max(0), atol=1e-3)
            assert box.results[0].hypothesis.class_id == "road_sign"


def test_the_motion_turns_a_camera_with_the_published_intrinsics(sample, truth):
    still_k = sample[INFO][truth[0]["stamp_ns"]].k.reshape(3, 3)
    for frame in truth:
        info = sample[INFO][frame["stamp_ns"]]
        H = np.reshape(frame["frame_from_picture"], (3, 3))
        turn = np.linalg.inv(info.k.reshape(3, 3)) @ H @ still_k
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        np.testing.assert_array_equal(info.p.reshape(3, 4)[:, :3], info.k.reshape(3, 3))
        assert not info.d.any()


def test_tags_found_in_the_motion_lie_where_the_homography_puts_them(sample, truth):
    still = max((f for f in truth if f["part"] == "still"), key=lambda f: f["stamp_ns"])
    in_still = tags_in(sample[IMAGE][still["stamp_ns"]])
    errors = []
    for frame in [f for f in truth if f["part"] == "motion"][::15]:
        H = np.reshape(frame["frame_from_picture"], (3, 3))
        for sign, corners in tags_in(sample[IMAGE][frame["stamp_ns"]]).items():
            expected = cv2.perspectiveTransform(in_still[sign][None].astype(float), H)[0]
            errors.extend(np.linalg.norm(corners - expected, axis=1))
    assert len(errors) > 100
    assert np.median(errors) < 0.6


def test_labelled_panels_contain_their_tags_with_the_printed_margin(sample, truth):
    """Scaled by the tag's 65 mm, every label has the size of the same printed panel."""
    for frame in truth[:48:8]:
        tags = tags_in(sample[IMAGE][frame["stamp_ns"]])
        for sign in tags.keys() & frame["objects"].keys():
            if np.ptp(tags[sign], axis=0).min() < 20:
                continue  # half a pixel on such a small tag is centimetres at the far corners
            tag_mm = np.float32([[0, 0], [65, 0], [65, 65], [0, 65]])
            # OpenCV starts at another corner of AprilTags than their authors do.
            corners = np.roll(tags[sign], -2, axis=0).astype(np.float32)
            mm_from_frame = cv2.getPerspectiveTransform(corners, tag_mm)
            panel = cv2.perspectiveTransform(
                np.array(frame["objects"][sign])[None], mm_from_frame.astype(float)
            )[0]
            assert panel[:2, 1].min() > -92 and panel[:2, 1].max() < -68, (sign, panel)
            margins = [-panel[3, 0], panel[2, 0] - 65, *(panel[2:, 1] - 65)]
            assert min(margins) > 4 and max(margins) < 13, (sign, margins)
