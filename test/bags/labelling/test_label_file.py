# SPDX-License-Identifier: Apache-2.0
"""The file of labels comes back as it was, keeps what is not ours, and belongs to one bag."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from stn_perception.bags import BagError
from stn_perception.bags.labelling.label_file import Kept, label_text, read_labels
from stn_perception.bags.labelling.labels import KeyFrame, LabelledObject, Labels
from stn_perception.bags.labelling.tracks import track_of
from stn_perception.bags.truth import SeenFrame
from stn_perception.bags.truth.side_file import side_file_truth

QUAD = np.array([[10.0, 10.5], [30.25, 11.0], [29.0, 31.0], [9.0, 30.125]])
STAMPS = [1_700_000_000_000_000_000 + 50_000_000 * n for n in range(12)]


def text_of(labels, kept=None, camera="front"):
    tracks = {item.id: track_of(item, STAMPS) for item in labels.objects}
    return label_text(labels, tracks, kept or Kept(), camera, STAMPS)


def sign(*spans, name="sign", **fields):
    keys = {
        n: KeyFrame(QUAD + n, leaves=n == span[-1] and span is not spans[-1])
        for span in spans
        for n in span
    }
    return LabelledObject(name, keys=keys, **fields)


def write(path, frames, **top):
    content = {"format": "stn_perception/truth", "version": 1, **top, "frames": frames}
    path.write_text(json.dumps(content))
    return path


def entry(name="sign", shift=0.0, **fields):
    return {"id": name, "corners": (QUAD + shift).tolist(), **fields}


@pytest.mark.parametrize("spans", [[[0, 4, 8]], [[0, 3], [7, 9]], [[1, 3], [4, 6]], [[2]]])
def test_what_is_written_is_read_again(tmp_path, spans):
    path = tmp_path / "labels.json"
    path.write_text(text_of(Labels((sign(*spans, class_id="stop", symmetry=2),))))
    labels, _ = read_labels(path, "front", STAMPS)
    (item,) = labels.objects
    assert (item.id, item.class_id, item.symmetry) == ("sign", "stop", 2)
    assert item.spans() == spans
    assert all(np.array_equal(item.keys[n].corners, QUAD + n) for n in item.keys)
    assert text_of(labels) == path.read_text()


def test_every_labelled_frame_is_there_and_tells_clicked_from_interpolated(tmp_path):
    labels = Labels((sign([0, 4]), sign([2, 3], name="panel")))
    frames = json.loads(text_of(labels))["frames"]
    assert [frame["stamp_ns"] for frame in frames] == STAMPS[:5]
    assert [sorted({"key", "interpolated"} & frame.keys()) for frame in frames] == [
        ["key"],
        ["interpolated"],
        ["key"],
        ["key"],
        ["key"],
    ]
    marks = [
        (o["id"], o.get("key", False), o.get("interpolated", False)) for o in frames[2]["objects"]
    ]
    assert marks == [("sign", False, True), ("panel", True, False)]


def test_an_evaluation_reads_the_labels_as_truth(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(text_of(Labels((sign([0, 4], class_id="stop"),))))
    truth = side_file_truth(path, "front")
    (item,) = truth.objects(SeenFrame("front", STAMPS[2], "", 640, 480))
    assert (item.id, item.class_id) == ("sign", "stop")
    assert np.abs(item.corners - (QUAD + 2)).max() < 1e-3
    assert truth.objects(SeenFrame("front", STAMPS[5], "", 640, 480)) == ()


def test_what_is_not_ours_is_kept(tmp_path):
    rear = {"camera": "rear", "stamp_ns": 5, "weather": "fog", "objects": [entry(hue=3)]}
    box = {"id": "car", "box": {"center": [5, 5], "size": [4, 2], "angle_rad": 0.5}}
    empty = {"camera": "front", "stamp_ns": STAMPS[9], "objects": [], "checked": True}
    ours = {
        "camera": "front",
        "stamp_ns": STAMPS[3],
        "blurred": True,
        "objects": [entry(occluded=0.25), box, {"corners": QUAD.tolist()}],
    }
    path = write(tmp_path / "l.json", [rear, ours, empty], about="by hand")
    labels, kept = read_labels(path, "front", STAMPS)
    renamed = labels.put(replace(labels.objects[0], id="renamed"), instead_of="sign")
    content = json.loads(text_of(renamed, kept))
    assert content["about"] == "by hand"
    other, again, still_empty = content["frames"]
    assert other == rear
    assert again["blurred"] is True
    assert again["objects"][0] | {"id": "renamed", "occluded": 0.25} == again["objects"][0]
    assert again["objects"][1:] == ours["objects"][1:]
    assert (still_empty["objects"], still_empty["checked"]) == ([], True)


def test_corners_without_marks_are_key_frames_and_frames_left_out_stay_so(tmp_path):
    frames = [
        {"camera": "/front", "stamp_ns": STAMPS[n], "objects": {"sign": (QUAD + n).tolist()}}
        for n in (1, 2, 5, 6)
    ]
    labels, kept = read_labels(write(tmp_path / "l.json", frames), "front", STAMPS)
    assert labels.objects[0].spans() == [[1, 2], [5, 6]]
    written = json.loads(text_of(labels, kept))["frames"]
    assert [frame["stamp_ns"] for frame in written] == [STAMPS[n] for n in (1, 2, 5, 6)]


def test_an_interpolated_frame_without_key_frames_around_it_is_not_dropped(tmp_path):
    frames = [{"stamp_ns": STAMPS[4], "objects": [entry(interpolated=True)]}]
    labels, _ = read_labels(write(tmp_path / "l.json", frames), "front", STAMPS)
    assert list(labels.objects[0].keys) == [4]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"frames": []}', 'is no file of labels, expected "format"'),
        ("[1, 2]", 'is no file of labels, expected "format"'),
        ('{"format": ', "are no JSON"),
        ('{"format": "stn_perception/truth", "version": 2, "frames": []}', "version is 2"),
        ('{"format": "stn_perception/truth", "version": 1}', "frames: Field required"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, content, sentence):
    (tmp_path / "l.json").write_text(content)
    with pytest.raises(BagError, match=re.escape(sentence)) as caught:
        read_labels(tmp_path / "l.json", "front", STAMPS)
    assert str(caught.value).count("\n") == 0


def test_the_labels_of_another_bag_are_refused(tmp_path):
    frames = [{"camera": "front", "stamp_ns": s, "objects": []} for s in (STAMPS[0], 77, 78)]
    path = write(tmp_path / "l.json", frames)
    with pytest.raises(BagError, match=r"belongs to another bag: 2 of its 3 frames .* is 77"):
        read_labels(path, "front", STAMPS)


def test_an_object_that_comes_twice_in_a_frame_is_refused(tmp_path):
    frames = [{"stamp_ns": STAMPS[0], "objects": [entry(), entry(shift=3.0)]}]
    path = write(tmp_path / "l.json", frames)
    with pytest.raises(BagError, match="'sign' twice"):
        read_labels(path, "front", STAMPS)


def test_crossed_corners_are_refused_with_the_place(tmp_path):
    frames = [{"stamp_ns": STAMPS[0], "objects": [{"id": "sign", "corners": QUAD[::-1].tolist()}]}]
    with pytest.raises(BagError, match=r"frames\[0\].objects\[0\]: the object 'sign' has"):
        read_labels(write(tmp_path / "l.json", frames), "front", STAMPS)
