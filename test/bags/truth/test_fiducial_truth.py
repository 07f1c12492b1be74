# SPDX-License-Identifier: Apache-2.0
"""Fiducials in the pictures give corners, upright and to a tenth of a pixel."""

import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.truth import SeenFrame, load_truth, parse_truth
from stn_perception.bags.truth.tag_detection import detect_tags
from stn_perception.bags.truth.tag_family import tag_family
from stn_perception.bags.typestore import header_stamp_ns

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"
# Where, how large, how turned and how tilted.
POSES = [
    (150, 120, 60, 0.0, (0.0, 0.0)),
    (300.3, 200.7, 90, 0.6, (0.6, 0.0)),
    (420.2, 300.1, 140, -2.4, (-0.3, 0.7)),
    (200.6, 330.4, 45, 1.9, (0.2, -0.5)),
    (500.5, 100.9, 70, 3.0, (-0.7, -0.2)),
]


def truth_of(text: str):
    with BagReader(SAMPLE) as reader:
        return load_truth(parse_truth(text), reader, "camera")


def seen(gray: np.ndarray | None, stamp_ns: int = 0) -> SeenFrame:
    return SeenFrame("camera", stamp_ns, "camera", 640, 480, gray)


def drawn_by_opencv(name: str, number: int) -> np.ndarray:
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))
    return cv2.aruco.generateImageMarker(dictionary, number, dictionary.markerSize + 2) > 0


@pytest.mark.parametrize("pose", POSES)
@pytest.mark.parametrize(("blur_px", "noise"), [(0, 0), (0.7, 3)])
def test_corners_are_true_to_a_tenth_of_a_pixel(
    tag_picture, tag_pose, april_tag, pose, blur_px, noise
):
    number, cells = april_tag
    picture = tag_picture()
    true = picture.draw(cells, tag_pose(*pose))
    truth = truth_of("fiducials:tag36h11")
    assert truth.needs_pixels
    (tag,) = truth.objects(seen(picture.seen(blur_px, noise)))
    assert (tag.id, tag.class_id, tag.symmetry) == (f"tag_{number}", "apriltag_36h11", 1)
    assert np.linalg.norm(tag.corners - true, axis=1).max() < 0.1


@pytest.mark.parametrize(
    "name",
    ["DICT_4X4_50", "5x5_100", "6X6_250", "dict_7x7_1000", "aruco_original", "aruco_mip_36h12"],
)
def test_aruco_tags_are_upright_as_opencv_draws_them(tag_picture, tag_pose, name):
    opencv_name = f"DICT_{name.upper().removeprefix('DICT_')}"
    picture = tag_picture()
    true = picture.draw(drawn_by_opencv(opencv_name, 7), tag_pose(*POSES[2]))
    (tag,) = truth_of(f"fiducials:{name}").objects(seen(picture.seen()))
    assert tag.id == "tag_7"
    assert np.linalg.norm(tag.corners - true, axis=1).max() < 0.1


@pytest.mark.parametrize("family", ["tag16h5", "tag25h9", "tag36h11"])
def test_april_tags_are_upright_as_their_own_library_finds_them(
    tag_picture, tag_pose, tag_detector, family
):
    """Whichever way up this OpenCV draws them."""
    detector = type(tag_detector)(families=family, quad_decimate=1.0, nthreads=1)
    picture = tag_picture()
    name = f"DICT_APRILTAG_{family.removeprefix('tag')}"
    picture.draw(drawn_by_opencv(name, 11), tag_pose(*POSES[2]))
    gray = picture.seen()
    (theirs,) = detector.detect(gray)
    (ours,) = truth_of(f"fiducials:{family}").objects(seen(gray))
    assert ours.id == f"tag_{theirs.tag_id}" == "tag_11"
    # Theirs: bottom-left first and anticlockwise, pixel edges counted from 0.
    assert np.linalg.norm(ours.corners - (theirs.corners[::-1] - 0.5), axis=1).max() < 0.4


def test_the_first_tag_of_36h10_is_upright_as_the_apriltag_library_lays_its_bits(
    tag_picture, tag_pose
):
    """Code and places of bits of AprilTag 3's tag36h10.c: around the square, from outside in."""
    rows = "12345234366666555465432543411111222 3".replace(" ", "")
    columns = "111112223123452343666665554654325434"
    upright = np.zeros((8, 8), dtype=bool)
    for place, (x, y) in enumerate(zip(rows, columns, strict=True)):
        upright[int(y), int(x)] = 0x1A42F9469 >> (35 - place) & 1
    picture = tag_picture()
    true = picture.draw(upright, tag_pose(*POSES[1]))
    (tag,) = truth_of("fiducials:tag36h10").objects(seen(picture.seen()))
    assert tag.id == "tag_0"
    assert np.linalg.norm(tag.corners - true, axis=1).max() < 0.1


def test_corners_are_closer_than_opencv_s_own_refinements(tag_picture, tag_pose, april_tag):
    _, cells = april_tag
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
    errors = {"ours": []}
    for pose in POSES:
        picture = tag_picture()
        true = picture.draw(cells, tag_pose(*pose))
        gray = picture.seen(blur_px=0.7, noise=3)
        ((_, corners),) = detect_tags(gray, tag_family("tag36h11"))
        errors["ours"].append(np.linalg.norm(corners - true, axis=1))
        for method in (cv2.aruco.CORNER_REFINE_SUBPIX, cv2.aruco.CORNER_REFINE_APRILTAG):
            parameters = cv2.aruco.DetectorParameters()
            parameters.cornerRefinementMethod = method
            found, _, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(gray)
            distances = np.linalg.norm(found[0].reshape(4, 1, 2) - true, axis=2)
            errors.setdefault(method, []).append(distances.min(axis=1))
    means = {name: np.mean(found) for name, found in errors.items()}
    assert means["ours"] < 0.05
    assert min(means.values()) == means["ours"]
    assert all(mean > 3 * means["ours"] for name, mean in means.items() if name != "ours")


def test_tags_of_a_real_camera_move_as_the_known_motion_says():
    frames = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    stills = [frame["stamp_ns"] for frame in frames if frame["part"] == "still"]
    motion = {
        frame["stamp_ns"]: np.reshape(frame["frame_from_picture"], (3, 3))
        for frame in frames
        if frame["part"] == "motion"
    }
    chosen = {stills[-1], *list(motion)[::15]}
    truth = truth_of("fiducials:tag36h11")
    found = {}
    with BagReader(SAMPLE) as reader:
        for message in reader.messages(["/camera/image/compressed"]):
            stamp_ns = header_stamp_ns(message.data)
            if stamp_ns in chosen:
                gray = cv2.imdecode(reader.deserialize(message).data, cv2.IMREAD_GRAYSCALE)
                tags = truth.objects(seen(gray, stamp_ns))
                found[stamp_ns] = {tag.id: tag.corners for tag in tags}
    still = found.pop(stills[-1])
    errors = [
        np.linalg.norm(
            corners - cv2.perspectiveTransform(still[name][None], motion[stamp])[0], axis=1
        )
        for stamp, tags in found.items()
        for name, corners in tags.items()
        if name in still
    ]
    assert len(errors) > 30
    assert np.median(errors) < 0.1


def test_the_loaded_truth_travels_to_another_process_after_it_was_used(
    tag_picture, tag_pose, april_tag
):
    picture = tag_picture()
    picture.draw(april_tag[1], tag_pose(*POSES[0]))
    gray = picture.seen()
    truth = truth_of("fiducials:tag36h11")
    before = truth.objects(seen(gray))
    (after,) = pickle.loads(pickle.dumps(truth)).objects(seen(gray))
    np.testing.assert_array_equal(before[0].corners, after.corners)


def test_a_frame_without_tags_has_no_objects():
    assert truth_of("fiducials:4x4_50").objects(seen(np.full((480, 640), 90, np.uint8))) == ()
    with pytest.raises(ValueError, match="comes without its pixels"):
        truth_of("fiducials:4x4_50").objects(seen(None))


def test_an_unknown_family_is_refused_with_the_known_ones():
    with pytest.raises(BagError, match=r"no family of fiducials 'tag99', .*apriltag_36h11"):
        truth_of("fiducials:tag99")
