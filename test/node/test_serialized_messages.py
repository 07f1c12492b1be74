# SPDX-License-Identifier: Apache-2.0
"""Messages packed here are the very ones that rclpy would have sent."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from node_models import write_model
from rclpy.serialization import deserialize_message, serialize_message

from stn_perception.geometry import AxisAlignedBox, PinholeIntrinsics
from stn_perception.messages.regions import Region
from stn_perception.node.message_factory import RclpyFactory, message_class
from stn_perception.node.serialized_messages import SerializedFactory, serialized
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import DepthFrame, Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.result_messages import ResultMessages
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

pytestmark = pytest.mark.ros
WIDTH, HEIGHT = 320, 240


@pytest.fixture(scope="module")
def frame() -> Frame:
    pixels = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    return Frame(pixels, "rgb", 1_234_567_890_123_456_789, "camera_optical")


@pytest.fixture(scope="module")
def result(frame: Frame, tmp_path_factory: pytest.TempPathFactory) -> FrameResult:
    """Three objects with poses and depth, in a frame whose name has an odd length."""
    matrix = np.array([(300.0, 0.0, 159.5), (0.0, 300.0, 119.5), (0.0, 0.0, 1.0)])
    request = FrameRequest(
        "camera",
        frame,
        tuple(
            Region(AxisAlignedBox(80.0 * n, 120.0, 60.0, 50.0), f"box{n}", "label", 0.5)
            for n in (1, 2, 3)
        ),
        PinholeIntrinsics(matrix, np.zeros(3), WIDTH, HEIGHT, frame.frame_id),
        DepthFrame(np.full((HEIGHT, WIDTH), 1.5, np.float32)),
    )
    archive = ModelArchive.open(write_model(tmp_path_factory.mktemp("model")))
    settings = PipelineSettings(object_size_m={"": (0.1, 0.2)})
    return Pipeline(archive, settings).process([request])[0]


def both(result: FrameResult, frame: Frame) -> list[tuple[str, Any, bytes]]:
    """Topic, rclpy's message and our bytes of everything that a result leads to."""
    theirs = ResultMessages(RclpyFactory(), object_frames=True)
    ours = ResultMessages(SerializedFactory(), object_frames=True)
    pairs = zip(theirs.outputs(result, frame), ours.outputs(result, frame), strict=True)
    made = [(topic, message, serialized(draft)) for (topic, message), (_, draft) in pairs]
    return [("tf", theirs.transforms(result), serialized(ours.transforms(result))), *made]


def test_every_output_reads_as_the_message_that_rclpy_makes(
    result: FrameResult, frame: Frame
) -> None:
    made = both(result, frame)
    kinds = {type(message).__name__ for _, message, _ in made}
    assert kinds >= {"TFMessage", "Image", "CameraInfo", "Detection2DArray", "PoseArray"}
    for topic, message, octets in made:
        # Bytes that pad numbers may differ, so the messages are compared.
        assert len(octets) == len(serialize_message(message)), topic
        assert str(deserialize_message(octets, type(message))) == str(message), topic
        assert getattr(deserialize_message(octets, type(message)), "data", 0) == getattr(
            message, "data", 0
        )


def test_numbers_of_every_size_lie_where_they_belong() -> None:
    fields = {"x_offset": 1, "y_offset": 2**32 - 1, "height": 3, "width": 4, "do_rectify": True}
    octets = serialized(SerializedFactory().make("sensor_msgs/msg/RegionOfInterest", **fields))
    kind = message_class("sensor_msgs/msg/RegionOfInterest")
    assert deserialize_message(octets, kind) == kind(**fields)


def test_text_beyond_ascii_and_empty_sequences_pass() -> None:
    factory = SerializedFactory()
    stamp = factory.make("builtin_interfaces/msg/Time", sec=-1, nanosec=7)
    header = factory.make("std_msgs/msg/Header", stamp=stamp, frame_id="kamera_größe")
    octets = serialized(
        factory.make("vision_msgs/msg/Detection2DArray", header=header, detections=[])
    )
    message = deserialize_message(octets, message_class("vision_msgs/msg/Detection2DArray"))
    assert message.header.frame_id == "kamera_größe" and message.header.stamp.sec == -1
    assert message.detections == []


def test_what_is_no_number_passes_as_such() -> None:
    factory = SerializedFactory()
    draft = factory.make("vision_msgs/msg/ObjectHypothesis", class_id="a", score=math.nan)
    kind = message_class("vision_msgs/msg/ObjectHypothesis")
    assert math.isnan(deserialize_message(serialized(draft), kind).score)


def test_a_forgotten_field_is_refused() -> None:
    with pytest.raises(KeyError, match="y"):
        SerializedFactory().make("geometry_msgs/msg/Point", x=0.0, z=0.0)
