# SPDX-License-Identifier: Apache-2.0
"""Several recordings of one run: each counts once, and one of no use costs no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stn_perception.bags import BagError, BagReader, BagWriter
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics import evaluation_json
from stn_perception.bags.truth import parse_truth
from stn_perception.benchmarks.evaluation.looped_bag import INFO, Loop, write_looped_bag
from stn_perception.runtime.parameters.parameters import NodeParameters

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"
Evaluate = Callable[..., Evaluation]


@pytest.fixture(scope="module")
def tiny_bag(tmp_path_factory: pytest.TempPathFactory) -> str:
    bag = tmp_path_factory.mktemp("tiny") / "bag"
    write_looped_bag(SAMPLE, bag, Loop(seconds=0.2, objects=1))
    return str(bag)


def test_a_recording_given_twice_counts_once(evaluate: Evaluate, tiny_bag: str) -> None:
    once, twice = (evaluate(bags=(tiny_bag,) * count) for count in (1, 2))
    figures = [evaluation_json(found) for found in (once, twice)]
    for each in figures:
        del each["seconds"], each["fps"]
    assert (figures[0]["bags"], figures[0]["frames"], figures[0]["views"]) == (1, 6, 6)
    assert figures[0] == figures[1]


def test_a_recording_that_cannot_be_read_costs_no_other(
    evaluate: Evaluate, tiny_bag: str, tmp_path: Path
) -> None:
    absent = str(tmp_path / "absent")
    found = evaluate(bags=(absent, tiny_bag))
    assert [bag.frames for bag in found.bags] == [0, 6]
    assert found.bags[0].skipped == {"unreadable_bags": 1}
    assert found.bags[0].sentences == (f"there is no bag at {absent}.",)


def test_recordings_none_of_which_can_be_read_are_refused(
    evaluate: Evaluate, tmp_path: Path
) -> None:
    with pytest.raises(BagError, match=r"there is no bag at .*first"):
        evaluate(bags=(str(tmp_path / "first"), str(tmp_path / "second")))


def test_a_truth_of_another_recording_is_told(
    evaluate: Evaluate, tiny_bag: str, tmp_path: Path
) -> None:
    labels = tmp_path / "labels.json"
    labels.write_text(
        '{"frames": [{"stamp_ns": 5, "objects": {"a": [[0, 0], [9, 0], [9, 9], [0, 9]]}}]}'
    )
    found = evaluate(bags=(tiny_bag,), truth=parse_truth(f"file:{labels}"))
    assert found.bags[0].sentences == (
        "None of the 6 frames of camera 'camera' has a true object; does the truth belong to "
        "this recording?",
    )


@pytest.mark.parametrize(("length", "count"), [(6, 6), (40, 6), (40, 4)])
def test_calibration_that_does_not_read_is_counted_and_not_used(
    evaluate: Evaluate, tiny_bag: str, tmp_path: Path, length: int, count: int
) -> None:
    cut, infos = tmp_path / "cut", 0
    with BagReader(tiny_bag) as reader, BagWriter(cut) as writer:
        for message in reader.messages():
            writer.add_topic(message.topic, message.type_name)
            infos += message.topic == INFO
            is_cut = message.topic == INFO and infos <= count
            data = message.data[:length] if is_cut else message.data
            writer.write(message.topic, message.time_ns, data)
    sized = NodeParameters.from_ros({"object_size_m": ["=0.1,0.1"]})
    found = evaluate(bags=(str(cut),), parameters=sized)
    (bag,) = found.bags
    assert bag.frames == len(found.views) == infos == 6
    assert bag.skipped == {"camera_info_undecodable": count}
    assert any(f"{count} camera_info_undecodable" in told for told in bag.sentences)
    # The first one that reads is that of the frames before it, too.
    assert {view.distance_m is None for view in found.views} == {count == 6}
