# SPDX-License-Identifier: Apache-2.0
"""Objects in the planes of fiducials are found through them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.truth import SeenFrame, load_truth, parse_truth
from stn_perception.bags.truth.tag_layout import read_layout, tags_by_number

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"
# A panel above its tag, half as wide again: x right, y down, the tag's side is 1.
PANEL = [[-0.75, -2.0], [0.75, -2.0], [0.75, -0.6], [-0.75, -0.6]]
UNIT = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])


def layout(folder: Path, *objects: dict) -> Path:
    path = folder / "layout.json"
    path.write_text(json.dumps({"objects": objects}))
    return path


def mapped(homography: np.ndarray, points) -> np.ndarray:
    return cv2.perspectiveTransform(np.array([points], dtype=np.float64), homography)[0]


def moved(x: float, y: float) -> np.ndarray:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def test_an_object_lies_in_its_tag_s_plane(tmp_path, tag_picture, tag_pose, april_tag):
    number, cells = april_tag
    path = layout(
        tmp_path,
        {"id": "panel", "class": "stop", "symmetry": 2, "tag": number, "corners": PANEL},
        {"id": "elsewhere", "tag": number + 1, "corners": PANEL},
    )
    frame_from_tag = tag_pose(320, 300, 90, 0.3, (0.5, -0.4))
    picture = tag_picture()
    picture.draw(cells, frame_from_tag)
    with BagReader(SAMPLE) as reader:
        truth = load_truth(parse_truth(f"fiducials:tag36h11:{path}"), reader, "camera")
    frame = SeenFrame("camera", 0, "", 640, 480, picture.seen())
    (panel,) = truth.objects(frame)
    assert (panel.id, panel.class_id, panel.symmetry) == ("panel", "stop", 2)
    assert np.linalg.norm(panel.corners - mapped(frame_from_tag, PANEL), axis=1).max() < 0.3


def test_several_tags_place_one_object_together(tmp_path, tag_pose):
    """With noise on the tags' corners, two tags at its sides place a panel closer than one."""
    panel = np.array([[-2, -1], [2, -1], [2, 1], [-2, 1.0]])
    places = {1: (-1.5, 0.0), 2: (1.5, 0.0)}
    entries = [
        {"id": "panel", "tag": tag, "corners": (panel - place).tolist()}
        for tag, place in places.items()
    ]
    (placed,) = read_layout(layout(tmp_path, *entries))
    rng = np.random.default_rng(3)
    frame_from_plane = tag_pose(320, 240, 60, 0.4, (0.4, 0.5))
    true = mapped(frame_from_plane, panel)
    errors = {"one": [], "both": []}
    for _ in range(30):
        tags = {
            tag: mapped(frame_from_plane @ moved(*place), UNIT) + rng.normal(0, 0.1, (4, 2))
            for tag, place in places.items()
        }
        for name, seen in (("one", {1: tags[1]}), ("both", tags)):
            errors[name].append(np.linalg.norm(placed.seen(seen).corners - true, axis=1).mean())
    assert np.mean(errors["both"]) < 0.3 * np.mean(errors["one"])
    exact = {tag: mapped(frame_from_plane @ moved(*place), UNIT) for tag, place in places.items()}
    np.testing.assert_allclose(placed.seen(exact).corners, true, atol=1e-6)
    np.testing.assert_allclose(placed.seen({2: exact[2]}).corners, true, atol=1e-6)
    assert placed.seen({7: exact[2]}) is None


def test_a_tag_that_is_seen_twice_places_nothing():
    tags = [(1, UNIT), (2, UNIT), (2, UNIT + 5)]
    assert list(tags_by_number(tags)) == [1]


def test_an_object_beyond_the_horizon_of_its_plane_is_none(tmp_path, tag_pose):
    """The tag's plane tips away so far that a board long enough reaches behind the camera."""
    frame_from_tag = tag_pose(320, 240, 200, 0.0, (1.3, 0.0))
    long = [[-0.5, -9.0], [0.5, -9.0], [0.5, 9.0], [-0.5, 9.0]]
    near, far = read_layout(
        layout(
            tmp_path,
            {"id": "near", "tag": 0, "corners": PANEL},
            {"id": "far", "tag": 0, "corners": long},
        )
    )
    tag = {0: mapped(frame_from_tag, UNIT)}
    np.testing.assert_allclose(near.seen(tag).corners, mapped(frame_from_tag, PANEL), atol=1e-6)
    assert far.seen(tag) is None


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], "objects is"),
        ([{"id": "a", "tag": 1}], r"objects\[0\]\.corners: Field required"),
        ([{"id": "a", "tag": "x", "corners": PANEL}], r"objects\[0\]\.tag is 'x'"),
        ([{"id": "", "tag": 1, "corners": PANEL}], r"objects\[0\]\.id is ''"),
        ([{"id": "a", "tag": 1, "corners": PANEL[::-1]}], "'a' has the corners .*convex outline"),
        ([{"id": "a", "tag": 1, "corners": PANEL}] * 2, "'a' comes twice with the tag 1"),
        (
            [
                {"id": "a", "tag": 1, "corners": PANEL},
                {"id": "a", "class": "b", "tag": 2, "corners": PANEL},
            ],
            "'a' has two classes or symmetries",
        ),
    ],
)
def test_wrong_layouts_are_refused_with_the_entry(tmp_path, objects, expected):
    with pytest.raises(BagError, match=expected) as error:
        read_layout(layout(tmp_path, *objects))
    assert "\n" not in str(error.value)


def test_a_missing_layout_is_refused(tmp_path):
    with pytest.raises(BagError, match=r"none\.json cannot be read: No such file"):
        read_layout(tmp_path / "none.json")
