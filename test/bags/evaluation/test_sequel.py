# SPDX-License-Identifier: Apache-2.0
"""Frames that are finished many at a time come out as they do one by one, to the bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stn_perception.bags.evaluation.models import model_choices
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.planning import plan_cameras
from stn_perception.bags.evaluation.worker_state import close_readers
from stn_perception.bags.opening import opened
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


def bits(value: Any) -> Any:
    """A value as something that is equal only where every bit is."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if is_dataclass(value):
        return tuple(bits(getattr(value, field.name)) for field in fields(value))
    return [bits(each) for each in value] if isinstance(value, (list, tuple)) else value


@pytest.fixture(scope="module")
def requests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[FrameRequest]]:
    """The sample: several boxes a frame, some views cut by the frame's edge."""
    options = EvaluationOptions(bags=(str(SAMPLE),), cache=tmp_path_factory.mktemp("cache"))
    bag = opened(str(SAMPLE), options.cache)
    (camera,) = plan_cameras(bag, str(SAMPLE), model_choices(options), options)
    read = camera.read(camera.scan.frames)
    yield [each.request for each in read if each.request is not None]
    close_readers()


@pytest.mark.parametrize("settings", [{}, {"smoothing": 0.5}])
def test_many_frames_at_once_are_finished_to_the_same_bits(
    requests: list[FrameRequest], settings: dict[str, Any]
) -> None:
    archive, knobs = ModelArchive.open("planar"), PipelineSettings(view_kind="camera", **settings)
    one_by_one, at_once = Pipeline(archive, knobs), Pipeline(archive, knobs)
    predictions = [one_by_one.predict([request])[0] for request in requests]
    frames = [(r, p, ()) for r, p in zip(requests, predictions, strict=True)]
    expected = [one_by_one.finish(*frame) for frame in frames]
    found = at_once.finish_in_order(frames)
    views = [view for result in expected for view in result.objects]
    assert max(len(result.objects) for result in expected) > 2
    assert any(view.valid_fraction < 1 for view in views)
    assert any(view.pose is not None for view in views)
    for one, other in zip(expected, found, strict=True):
        assert bits(replace(one, stage_s={})) == bits(replace(other, stage_s={}))
