# SPDX-License-Identifier: Apache-2.0
"""A depth camera's objects lie offline where the pipeline puts them at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter
from stn_perception.bags.evaluation.finished_chunks import FinishedChunks
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.run import Evaluator
from stn_perception.bags.factory import RosbagsFactory
from stn_perception.benchmarks.evaluation.looped_bag import DETECTIONS, IMAGE, INFO
from stn_perception.messages.camera_info import intrinsics_from_camera_info
from stn_perception.messages.depth import encode_depth
from stn_perception.messages.factory import header
from stn_perception.messages.regions import regions_from_detections
from stn_perception.messages.stamps import stamp_ns
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import depth_frame_from_message, frame_from_message
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings

DEPTH = "/camera/depth"
BROKEN = 3


@pytest.fixture(scope="module")
def with_depth(short_bag: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames with a slanted plane as depth, one of them of another size than its image."""
    bag = tmp_path_factory.mktemp("depth") / "bag"
    factory = RosbagsFactory()
    with BagReader(short_bag) as reader, BagWriter(bag, typestore=factory.typestore) as writer:
        for name in (IMAGE, INFO, DETECTIONS):
            writer.add_topic(name, reader.topics[name].type_name)
        writer.add_topic(DEPTH, "sensor_msgs/msg/Image")
        number = 0
        for message in reader.messages():
            if message.topic == IMAGE:
                if number == 10:
                    break
                shape = (24, 32) if number == BROKEN else (480, 640)
                meters = np.linspace(0.8, 1.2 + 0.1 * number, shape[1], dtype=np.float32)
                head = header(factory, message.time_ns, "camera_optical_frame")
                image = encode_depth(factory, head, np.tile(meters, (shape[0], 1)), "32FC1")
                writer.write_message(DEPTH, message.time_ns, image)
                number += 1
            writer.write(message.topic, message.time_ns, message.data)
    return bag


def at_once(bag: Path) -> dict[int, list[float]]:
    """Distances by stamp, by the whole pipeline frame by frame."""
    pipeline = Pipeline(ModelArchive.open("planar", "cpu"), PipelineSettings())
    found: dict[int, list[float]] = {}
    kinds: dict[int, dict[str, object]] = {}
    with BagReader(bag) as reader:
        for message in reader.messages():
            content = reader.deserialize(message)
            kinds.setdefault(stamp_ns(content), {})[message.topic] = content
    for stamp, messages in sorted(kinds.items()):
        if len(messages) < 4 or messages[DEPTH].height == 24:
            continue
        request = FrameRequest(
            "camera",
            frame_from_message(messages[IMAGE]),
            regions_from_detections(messages[DETECTIONS]),
            intrinsics_from_camera_info(messages[INFO]),
            depth_frame_from_message(messages[DEPTH]),
        )
        (result,) = pipeline.process([request])
        found[stamp] = [
            float(np.linalg.norm(item.pose.pose.translation)) for item in result.objects
        ]
    return found


def test_distances_are_those_of_the_pipeline(with_depth: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(
        bags=(str(with_depth),),
        parameters=NodeParameters.from_ros({"use_depth": True}),
        workers=0,
        probe_every=0,
        batch_frames=1,
        cache=tmp_path / "cache",
    )
    evaluation = Evaluator(options, FinishedChunks(tmp_path / "kept")).run()
    found: dict[int, list[float]] = {}
    for view in evaluation.views:
        found.setdefault(view.stamp_ns, []).append(view.distance_m)
    assert found == at_once(with_depth)
    assert len(found) == 9
    assert evaluation.bags[0].skipped["bad_size"] == 1
