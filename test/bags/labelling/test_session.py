# SPDX-License-Identifier: Apache-2.0
"""Edits reach the file one by one, can be taken back, and are refused whole."""

import json
import os

import numpy as np
import pytest

from stn_perception.bags.labelling.session import LabellingSession

QUAD = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
STAMPS = [1_000_000_000 * n for n in range(10)]


@pytest.fixture
def session(tmp_path):
    return LabellingSession(tmp_path / "labels.json", "front", STAMPS)


def place(frame, shift=0.0, name="sign", **fields):
    corners = (QUAD + shift).tolist()
    return {"do": "place", "object": name, "frame": frame, "corners": corners, **fields}


def in_file(session):
    """First corner's x of each object by frame, as the file has it."""
    content = json.loads(session.path.read_text())
    return {
        (item["id"], STAMPS.index(frame["stamp_ns"])): item["corners"][0][0]
        for frame in content["frames"]
        for item in frame["objects"]
    }


def test_each_edit_is_in_the_file_when_it_is_done(session):
    session.edit(place(2))
    assert in_file(session) == {("sign", 2): 10.0}
    session.edit(place(4, 8.0))
    assert in_file(session) == {("sign", 2): 10.0, ("sign", 3): 14.0, ("sign", 4): 18.0}
    again = LabellingSession(session.path, "front", STAMPS)
    assert again.state()["objects"] == session.state()["objects"]
    assert again.frame(3) == session.frame(3)


def test_edits_are_taken_back_and_done_again_down_to_the_file(session):
    for frame in (0, 2, 4):
        session.edit(place(frame, frame))
    session.edit({"do": "unplace", "object": "sign", "frame": 4})
    states = []
    while session.state()["undo"]:
        states.append(in_file(session))
        session.edit({"do": "undo"})
    assert len(states) == 4
    assert in_file(session) == {}
    for state in reversed(states):
        session.edit({"do": "redo"})
        assert in_file(session) == state
    assert not session.state()["redo"]


def test_repeated_nudges_are_one_step(session):
    session.edit(place(0))
    for step in range(5):
        session.edit(place(0, 0.1 * step, gesture="g"))
    assert in_file(session) == {("sign", 0): 10.4}
    session.edit({"do": "undo"})
    assert in_file(session) == {("sign", 0): 10.0}


def test_an_edit_that_is_sent_twice_is_done_once(session):
    session.edit(place(0), "page", 1)
    session.edit(place(0, 5.0), "page", 2)
    session.edit({"do": "undo"}, "page", 3)
    session.edit({"do": "undo"}, "page", 3)
    assert in_file(session) == {("sign", 0): 10.0}


def test_an_object_leaves_and_comes_back(session):
    session.edit(place(0))
    session.edit(place(8, 8.0))
    session.edit({"do": "fix", "object": "sign", "frame": 3, "leaves": True})
    assert sorted(frame for _, frame in in_file(session)) == [0, 1, 2, 3, 8]
    assert session.state()["objects"][0]["spans"] == [[0, 3], [8, 8]]
    session.edit(place(6, 6.0))
    assert sorted(frame for _, frame in in_file(session)) == [0, 1, 2, 3, 6, 7, 8]
    session.edit({"do": "unplace", "object": "sign", "frame": 3})
    assert session.state()["objects"][0]["spans"] == [[0, 0], [6, 8]]
    session.edit({"do": "fix", "object": "sign", "frame": 0, "leaves": False})
    assert sorted(frame for _, frame in in_file(session)) == list(range(9))


def test_objects_are_described_and_removed(session):
    session.edit(place(1, name="a", class_id=" stop "))
    session.edit(place(1, 3.0, name="b"))
    described = {"do": "describe", "object": "b", "id": "c", "class_id": "yield", "symmetry": 4}
    session.edit(described)
    about = [(o["id"], o["class_id"], o["symmetry"]) for o in session.state()["objects"]]
    assert about == [("a", "stop", 1), ("c", "yield", 4)]
    session.edit({"do": "remove", "object": "a"})
    assert in_file(session) == {("c", 1): 13.0}
    session.edit({"do": "unplace", "object": "c", "frame": 1})
    assert session.state()["objects"] == []


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (place(10), "frame is 10, expected below 10"),
        (place(0) | {"corners": QUAD[::-1].tolist()}, "no convex outline"),
        (place(0) | {"corners": QUAD[[0, 2, 1, 3]].tolist()}, "no convex outline"),
        (place(0) | {"corners": QUAD[:3].tolist()}, "corners"),
        (place(0) | {"corners": [[float("nan"), 0], *QUAD[1:].tolist()]}, "finite"),
        (place(0, name="  "), "id is empty"),
        ({"do": "fix", "object": "sign", "frame": 5}, "no label in frame 5"),
        ({"do": "unplace", "object": "sign", "frame": 5}, "no key frame at frame 5"),
        ({"do": "remove", "object": "nobody"}, "no object 'nobody'"),
        (
            {"do": "describe", "object": "sign", "id": "other", "class_id": "", "symmetry": 1},
            "an object 'other' already",
        ),
        ({"do": "explode"}, "explode"),
        ([], "edit cannot be used"),
    ],
)
def test_a_bad_edit_changes_nothing_and_is_told_in_a_sentence(session, edit, sentence):
    session.edit(place(1))
    session.edit(place(1, 4.0, name="other"))
    before, written = session.state(), session.path.read_bytes()
    with pytest.raises(ValueError, match=sentence):
        session.edit(edit)
    assert session.state() == before
    assert session.path.read_bytes() == written


def test_what_cannot_be_written_is_kept_told_and_written_later(tmp_path):
    folder = tmp_path / "there"
    folder.mkdir()
    session = LabellingSession(folder / "labels.json", "front", STAMPS)
    folder.rename(tmp_path / "away")
    session.edit(place(0))
    assert not session.state()["saved"]
    assert "labels.json cannot be written: No such file" in session.state()["problem"]
    (tmp_path / "away").rename(folder)
    session.edit({"do": "save"})
    assert session.state()["saved"]
    assert in_file(session) == {("sign", 0): 10.0}


def test_a_file_that_another_program_changed_is_not_overwritten(session):
    session.edit(place(0))
    content = session.path.read_text().replace("sign", "mine")
    other = session.path.with_suffix(".new")
    other.write_text(content)
    os.replace(other, session.path)
    session.edit(place(5))
    assert "changed by another program" in session.state()["problem"]
    assert session.path.read_text() == content
