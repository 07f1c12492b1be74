# SPDX-License-Identifier: Apache-2.0
"""The long recording is what it says, and the benchmark runs the real command on it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.benchmarks.evaluation.looped_bag import (
    DETECTIONS,
    IMAGE,
    INFO,
    Loop,
    write_looped_bag,
)
from stn_perception.cli import main

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


@pytest.mark.parametrize("objects", [1, 3])
def test_a_loop_has_a_steady_rate_and_so_many_boxes(tmp_path: Path, objects: int) -> None:
    write_looped_bag(SAMPLE, tmp_path / "bag", Loop(seconds=8.0, rate_hz=25.0, objects=objects))
    stamps: dict[str, list[int]] = {IMAGE: [], INFO: [], DETECTIONS: []}
    counts, images = [], []
    with BagReader(tmp_path / "bag") as bag:
        for message in bag.messages():
            assert header_stamp_ns(message.data) == message.time_ns
            stamps[message.topic].append(message.time_ns)
            if message.topic == DETECTIONS:
                counts.append(len(bag.deserialize(message).detections))
            elif message.topic == IMAGE:
                images.append(bytes(bag.deserialize(message).data))
    assert [len(each) for each in stamps.values()] == [200, 200, 200]
    assert set(np.diff(stamps[IMAGE])) == {40_000_000}
    assert set(counts) == {objects}
    # The sample has 183 frames; then it begins again.
    assert images[183:] == images[:17]


@pytest.mark.slow
def test_it_measures_the_command(tmp_path: Path) -> None:
    arguments = ["--bag", str(SAMPLE), "--seconds", "2", "--rounds", "1", "--most", "1"]
    figures, plot = tmp_path / "figures.json", tmp_path / "plot.svg"
    arguments += ["--json", str(figures), "--svg", str(plot)]
    assert main(["bench", "evaluation", *arguments]) == 0
    (row,) = json.loads(figures.read_text())["rows"]
    assert row["workers"] == 1 and row["over one worker"] == 1
    assert 0 < row["evaluation s"] < row["whole command s"]
    assert row["frames a second"] == pytest.approx(60 / row["whole command s"])
    assert 100 < row["peak MiB a worker"] < row["peak MiB in all"]
    assert "frames a second" in plot.read_text()
