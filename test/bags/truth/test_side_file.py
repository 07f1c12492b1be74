# SPDX-License-Identifier: Apache-2.0
"""Side files say where objects are, or are refused with the place that is wrong."""

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.truth import SeenFrame, load_truth, parse_truth
from stn_perception.bags.truth.tag_layout import read_layout

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"
STAMP = 1_767_225_600_123_456_789
QUAD = [[10.0, 20.0], [50.5, 22.0], [48.0, 61.25], [9.0, 60.0]]


def seen(stamp_ns: int = STAMP, camera: str = "camera") -> SeenFrame:
    return SeenFrame(camera, stamp_ns, "camera_optical_frame", 640, 480)


def truth_of(text: str, camera: str = "camera"):
    with BagReader(SAMPLE) as reader:
        return load_truth(parse_truth(text), reader, camera)


def side_file(folder: Path, *frames: dict, **others) -> str:
    path = folder / "labels.json"
    head = {"format": "stn_perception/truth", "version": 1}
    path.write_text(json.dumps({**head, **others, "frames": frames}))
    return f"file:{path}"


def frame(*objects: dict, **others) -> dict:
    return {"stamp_ns": STAMP, "objects": objects, **others}


def test_the_sample_s_own_truth_is_read_for_every_frame():
    truth = truth_of(f"file:{SAMPLE / 'truth.json'}")
    entries = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    assert len(entries) == 183
    for entry in entries:
        objects = truth.objects(seen(entry["stamp_ns"]))
        assert [o.id for o in objects] == list(entry["objects"])
        for o in objects:
            np.testing.assert_array_equal(o.corners, entry["objects"][o.id])
    assert not truth.needs_pixels
    assert truth.sentences == ()


def test_the_bag_s_folder_and_the_camera_s_name_may_stand_in_the_path():
    first = seen(1_767_225_600_000_000_000)
    assert len(truth_of("file:{bag}/truth.json").objects(first)) == 4
    with pytest.raises(BagError, match=r"duckiebot/left\.json cannot be read: No such file"):
        truth_of("file:{bag}/{camera}.json", camera="/left")


def test_corners_and_boxes_stand_side_by_side(tmp_path):
    text = side_file(
        tmp_path,
        frame(
            {"id": "sign_1", "class": "stop", "symmetry": 2, "corners": QUAD},
            # A 40 by 20 box a quarter turn clockwise: its own left edge lies at the top.
            {"id": "box", "box": {"center": [100, 50], "size": [40, 20], "angle_rad": np.pi / 2}},
            key=True,
            interpolated=False,
        ),
    )
    sign, box = truth_of(text).objects(seen())
    assert (sign.id, sign.class_id, sign.symmetry) == ("sign_1", "stop", 2)
    np.testing.assert_array_equal(sign.corners, QUAD)
    assert (box.id, box.class_id, box.symmetry) == ("box", "", 1)
    np.testing.assert_allclose(
        box.corners, [[110, 30], [110, 70], [90, 70], [90, 30]], rtol=0, atol=1e-9
    )


def test_a_frame_without_a_camera_holds_for_every_camera(tmp_path):
    text = side_file(
        tmp_path,
        frame({"id": "all", "corners": QUAD}),
        frame({"id": "left", "corners": QUAD}, camera="left"),
        frame({"id": "right", "corners": QUAD}, camera="/right"),
    )
    for camera in ("left", "/left", "right"):
        ids = [o.id for o in truth_of(text, camera).objects(seen())]
        assert ids == ["all", camera.strip("/")]


def test_a_camera_of_the_whole_file_holds_for_frames_that_name_none(tmp_path):
    text = side_file(tmp_path, frame({"id": "a", "corners": QUAD}), camera="left")
    assert truth_of(text, "right").objects(seen()) == ()
    assert len(truth_of(text, "left").objects(seen())) == 1


def test_only_the_very_stamp_holds_unless_a_tolerance_is_given(tmp_path):
    text = side_file(
        tmp_path,
        frame({"id": "early", "corners": QUAD}),
        {**frame({"id": "late", "corners": QUAD}), "stamp_ns": STAMP + 10_000_000},
    )
    exact = truth_of(text)
    assert exact.objects(seen(STAMP + 1)) == ()
    near = truth_of(f"{text};tolerance_s=0.006")
    assert [o.id for o in near.objects(seen(STAMP + 4_900_000))] == ["early"]
    assert [o.id for o in near.objects(seen(STAMP + 5_100_000))] == ["late"]
    assert [o.id for o in near.objects(seen(STAMP))] == ["early"]
    assert near.objects(seen(STAMP + 16_000_001)) == ()


def test_a_part_answers_for_its_time_as_the_whole_does(tmp_path):
    frames = [
        {**frame({"id": f"object_{n}", "corners": QUAD}), "stamp_ns": STAMP + n * 1_000_000}
        for n in range(10)
    ]
    text = side_file(tmp_path, *frames)
    exact, near = truth_of(text), truth_of(f"{text};tolerance_s=0.0006")
    first, last = STAMP + 3_000_000, STAMP + 5_400_000
    for whole, count in ((exact, 3), (near, 3 + 1)):
        part = whole.part(first, last)
        for stamp_ns in range(first, last + 1, 100_000):
            expected = [o.id for o in whole.objects(seen(stamp_ns))]
            assert [o.id for o in part.objects(seen(stamp_ns))] == expected
        everywhere = range(STAMP, STAMP + 10_000_000, 1_000_000)
        assert sum(len(part.objects(seen(stamp_ns))) for stamp_ns in everywhere) == count


def test_the_same_file_is_the_same_bytes_in_every_process(tmp_path):
    """What was finished is found again by the truth's bytes."""
    script = """
import pathlib, pickle, sys
from stn_perception.bags.truth.side_file import side_file_truth
truth = side_file_truth(pathlib.Path(sys.argv[1]), "camera")
sys.stdout.buffer.write(pickle.dumps(truth))
"""
    command = [sys.executable, "-c", script, str(SAMPLE / "truth.json")]
    first, second = (
        subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    )
    assert first == second


def test_what_was_loaded_can_be_pickled(tmp_path):
    truth = truth_of(side_file(tmp_path, frame({"id": "a", "corners": QUAD})))
    again = pickle.loads(pickle.dumps(truth))
    np.testing.assert_array_equal(again.objects(seen())[0].corners, QUAD)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"id": "a"}, r"frames\[0\]\.objects\[0\]: .*'a' needs either corners or a box"),
        ({"id": "a", "corners": QUAD[:3]}, r"objects\[0\]\.corners"),
        ({"id": "a", "corners": [*QUAD[:3], ["x", 1]]}, r"corners\[3\]\[0\] is 'x'"),
        ({"id": "a", "corners": QUAD[::-1]}, "top-left, top-right, bottom-right, bottom-left"),
        ({"id": "a", "symmetry": 3, "corners": QUAD}, r"symmetry is 3: Input should be 1, 2 or 4"),
        ({"id": "a", "box": {"center": [1, 2], "size": [3, 0]}}, r"box\.size\[1\] is 0"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, wrong, expected):
    with pytest.raises(BagError, match=expected) as error:
        truth_of(side_file(tmp_path, frame(wrong)))
    assert "\n" not in str(error.value)


def test_the_documented_examples_are_read(tmp_path):
    page = (SAMPLE.parents[1] / "docs" / "truth.md").read_text()
    example, objects_in_planes = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    tables = re.findall(r"```\n(stamp_ns.*?)```", page, re.DOTALL)
    (tmp_path / "labels.json").write_text(example)
    sign, plate = truth_of(f"file:{tmp_path / 'labels.json'}", "front").objects(
        seen(1_767_225_600_000_000_000)
    )
    assert (sign.id, sign.class_id, plate.id) == ("sign_1", "stop", "plate")
    for table, expected in zip(tables, (sign, plate), strict=True):
        (tmp_path / "labels.csv").write_text(table)
        (found,) = truth_of(f"file:{tmp_path / 'labels.csv'}", "front").objects(
            seen(1_767_225_600_000_000_000)
        )
        assert found.id == expected.id
        np.testing.assert_array_equal(found.corners, expected.corners)
    (tmp_path / "layout.json").write_text(objects_in_planes)
    (placed,) = read_layout(tmp_path / "layout.json")
    assert list(placed.tags_in_object) == [7]


def test_wrong_files_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(BagError, match=r"stamp_ns is 1\.5"):
        truth_of(side_file(tmp_path, {**frame(), "stamp_ns": 1.5}))
    with pytest.raises(BagError, match=r"version is 2"):
        truth_of(side_file(tmp_path, frame(), version=2))
    with pytest.raises(BagError, match=r"frames\[1\]: the object 'a' comes twice"):
        twice = frame({"id": "a", "corners": QUAD})
        truth_of(side_file(tmp_path, twice, twice))
    (tmp_path / "labels.json").write_text("{")
    with pytest.raises(BagError, match=r"labels\.json cannot be used: Invalid JSON"):
        truth_of(f"file:{tmp_path / 'labels.json'}")
