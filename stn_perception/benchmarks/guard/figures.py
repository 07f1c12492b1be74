# SPDX-License-Identifier: Apache-2.0
"""Figures that hardly vary from run to run: ratios in the same run, and counts of calls."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from stn_perception.benchmarks.pipeline.scenes import requests
from stn_perception.benchmarks.timing import interleaved
from stn_perception.benchmarks.warp.cases import warp_cases
from stn_perception.benchmarks.warp.contenders import opencv_loop, ours
from stn_perception.geometry.boxes import frame_from_crop
from stn_perception.messages.factory import NamespaceFactory
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import InputSample, get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.result_messages import MOSAIC, ResultMessages
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

_ROUNDS = 9
_OBJECTS = 16


def ratio_figures() -> dict[str, Callable[[], float]]:
    """Ratios by name; each is measured anew when it is called."""
    return {
        "1080p-8 / OpenCV loop": lambda: _warp_ratio("1080p-8", antialias=False),
        "4k-1 antialiased / OpenCV loop": lambda: _warp_ratio("4k-1", antialias=True),
        "crops-64 / OpenCV loop": lambda: _warp_ratio("crops-64", antialias=False),
        "crops-256 / OpenCV loop": lambda: _warp_ratio("crops-256", antialias=False),
        "16 network inputs / OpenCV's back end": _input_ratio,
    }


def count_figures() -> dict[str, Callable[[], float]]:
    """Calls of Python and C functions that one frame of 16 objects takes, by name."""
    return {
        "calls of Pipeline.process": lambda: float(_process_calls(calibrated=False)),
        "calls of Pipeline.process with poses": lambda: float(_process_calls(calibrated=True)),
        "calls to build the messages": lambda: float(_message_calls()),
    }


def counted_calls(job: Callable[[], object]) -> int:
    """Calls of Python and C functions that a job makes in this thread."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    gc.collect()
    gc.disable()  # what it finalises would count too
    sys.setprofile(note)
    try:
        job()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count


def _fastest_ratio(job: Callable[[], object], peer: Callable[[], object]) -> float:
    times = interleaved({"job": job, "peer": peer}, _ROUNDS)
    return times["job"].fastest_ms / times["peer"].fastest_ms


def _warp_ratio(name: str, antialias: bool) -> float:
    (case,) = warp_cases((name,))
    return _fastest_ratio(ours(case, "auto", antialias), opencv_loop(case))


def _input_ratio() -> float:
    request = requests("vga", _OBJECTS, is_calibrated=False)[0]
    samples = [
        InputSample(request.frame, frame_from_crop(region.box, 1.25, 64, 64, "stretch"))
        for region in request.regions
        if isinstance(region, Region)
    ]
    compiled, opencv = get_backend("auto"), get_backend("opencv")
    return _fastest_ratio(
        lambda: compiled.sample_inputs(samples, 64, 64, 1),
        lambda: opencv.sample_inputs(samples, 64, 64, 1),
    )


class _Frames:
    """A warm Pipeline and the frames that it is given."""

    def __init__(self, calibrated: bool) -> None:
        settings = PipelineSettings(max_objects=_OBJECTS)
        self._pipeline = Pipeline(ModelArchive.open("planar", "cpu"), settings)
        self._cycle = requests("vga", _OBJECTS, calibrated)
        self._number = 0
        for _ in range(3):
            self.process()

    def process(self) -> FrameResult:
        """The next frame's result."""
        self._number += 1
        asked = self._cycle[self._number % len(self._cycle)]
        frame = Frame(asked.frame.pixels, asked.frame.color, self._number * 33_333_333)
        (result,) = self._pipeline.process(
            [FrameRequest(asked.camera, frame, asked.regions, asked.intrinsics)]
        )
        return result


def _process_calls(calibrated: bool) -> int:
    frames = _Frames(calibrated)
    return counted_calls(frames.process)


def _message_calls() -> int:
    result = _Frames(calibrated=True).process()
    messages = ResultMessages(NamespaceFactory())
    return counted_calls(lambda: build_all(messages, result))


def build_all(messages: ResultMessages, result: FrameResult) -> list[Any]:
    """Every message of a frame but overlay and mosaic."""
    outputs = messages.outputs(result, is_wanted=lambda topic: not topic.endswith(MOSAIC))
    return [messages.transforms(result), *(message for _, message in outputs)]
