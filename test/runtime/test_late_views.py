# SPDX-License-Identifier: Apache-2.0
"""Views that are warped later are the views that the whole pipeline warps at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.frame import DepthFrame, Frame
from stn_perception.runtime.late_views import with_views
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings

K = np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]])


@pytest.fixture(scope="module")
def planar() -> ModelArchive:
    return ModelArchive.open(Path(__file__).parents[2] / "models" / "planar" / "planar.pt", "cpu")


def request(color: str, depth: bool) -> FrameRequest:
    draw = np.random.default_rng(5)
    shape = (240, 320) if color == "gray" else (240, 320, 3)
    frame = Frame(draw.integers(0, 256, shape, dtype=np.uint8), color, 7)
    meters = draw.uniform(0.5, 2.0, (240, 320)).astype(np.float32)
    boxes = [Region(AxisAlignedBox(40.0 + 60 * n, 120.0, 50.0, 70.0)) for n in range(4)]
    return FrameRequest(
        "front",
        frame,
        tuple(boxes),
        PinholeIntrinsics(K, width=320, height=240),
        DepthFrame(meters, "16UC1") if depth else None,
    )


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
@pytest.mark.parametrize(("color", "depth"), [("bgr", True), ("rgb", False), ("gray", False)])
def test_later_is_the_same_to_the_bit(
    planar: ModelArchive, color: str, depth: bool, interpolation: str
) -> None:
    settings = PipelineSettings(max_objects=3, interpolation=interpolation)
    frame = request(color, depth)
    (at_once,) = Pipeline(planar, settings).process([frame])
    offline = Pipeline(planar, settings)
    (prediction,) = offline.predict([frame])
    without = offline.finish(frame, prediction, wanted=())
    assert all(item.view is None for item in without.objects)
    later = with_views(without, frame, settings, get_backend(settings.backend))
    assert [item.slot for item in later.objects] == [0, 1, 2, None]
    for now, then in zip(at_once.objects, later.objects, strict=True):
        assert (now.view is None) == (then.view is None) == (now.slot is None)
        if now.view is not None:
            np.testing.assert_array_equal(now.view, then.view)
        assert now.depth_encoding == then.depth_encoding
        if depth and now.slot is not None:
            np.testing.assert_array_equal(now.depth_view, then.depth_view)
