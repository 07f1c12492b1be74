# SPDX-License-Identifier: Apache-2.0
"""What only a CUDA device can show: streams, pinned memory, graphs, steady memory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.settings import PipelineSettings

from .scenes import picture

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

THETA = [[0.7, 0.1, 0.05], [-0.1, 0.75, 0.0]]
BOXES = np.array([[30.0, 24.0, 26.0, 22.0, 0.0], [52.5, 30.0, 20.0, 30.0, 0.3]])


@pytest.fixture
def pipeline(make_archive: Callable[..., ModelArchive]) -> Any:
    from stn_perception.runtime.cuda.device_pipeline import DevicePipeline

    path = make_archive(THETA, view_width=20, view_height=14).path
    archive = ModelArchive.open(path, device="cuda")
    return DevicePipeline(archive, PipelineSettings(), [1, 2, 8], max_frames=4)


def boxed(count: int, seed: int = 0) -> list[Any]:
    from stn_perception.runtime.cuda.device_pipeline import BoxedFrame

    return [BoxedFrame(picture(80, 60, "bgr", seed + number), BOXES) for number in range(count)]


def test_a_replayed_graph_gives_the_bits_of_the_first_run(pipeline: Any) -> None:
    jobs = boxed(2)
    first = [view.copy() for view in pipeline.run(jobs).views]
    pipeline.run(boxed(2, seed=7))
    for view, expected in zip(pipeline.run(jobs).views, first, strict=True):
        np.testing.assert_array_equal(view, expected)


def test_every_batch_is_one_graph(pipeline: Any) -> None:
    assert all(replay.is_recorded for replay in pipeline._replays.values())


def test_a_network_that_waits_for_the_device_runs_without_a_graph(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from stn_perception.runtime.cuda.graphs import ReplayedSteps

    values = torch.ones(3, device="cuda")

    def run() -> None:
        values.add_(float(values.sum()))

    with caplog.at_level(logging.WARNING):
        replay = ReplayedSteps(run, torch.cuda.Stream())
    assert not replay.is_recorded
    assert [r.getMessage().startswith("The network runs without") for r in caplog.records] == [
        True
    ]
    replay.launch()


def test_frames_and_results_lie_in_pinned_memory(pipeline: Any) -> None:
    pipeline.run(boxed(2))
    assert all(slot.host.is_pinned() and slot.device.is_cuda for slot in pipeline.store._slots)
    steps = pipeline._steps[8]
    assert steps.host_views.is_pinned()
    assert steps.host_exact.is_pinned()


def test_nothing_is_allocated_in_steady_state(pipeline: Any) -> None:
    for number in range(4):
        pipeline.run(boxed(4, seed=number))
    before = torch.cuda.memory_stats()
    for number in range(20):
        pipeline.run(boxed(4, seed=10 + number))
    after = torch.cuda.memory_stats()
    for key in ("allocation.all.allocated", "segment.all.allocated"):
        assert after[key] == before[key]


def test_each_camera_copies_on_a_stream_of_its_own(pipeline: Any) -> None:
    from dataclasses import replace

    from stn_perception.runtime.cuda.device_pipeline import BoxedFrame

    jobs = [
        BoxedFrame(replace(item.frame, frame_id=f"camera{number}"), item.boxes)
        for number, item in enumerate(boxed(3))
    ]
    pipeline.run(jobs)
    streams = pipeline.store._copy_streams
    assert set(streams) == {"camera0", "camera1", "camera2"}
    handles = {stream.cuda_stream for stream in streams.values()}
    assert len(handles | {pipeline._stream.cuda_stream}) == 4


def test_the_gradient_has_the_same_bits_every_time() -> None:
    from stn_perception.runtime.cuda.differentiable import differentiable_inputs

    pixels = torch.from_numpy(picture(80, 60).pixels).cuda()
    matrix = torch.tensor([[[2.1, 0.2, 5.0], [-0.1, 1.9, 6.0], [1e-3, 0.0, 1.0]]]).cuda()
    gradients = []
    for _ in range(3):
        at = matrix.clone().requires_grad_()
        differentiable_inputs(
            [(pixels, "rgb")], torch.zeros(1), at, 32, 24
        ).square().sum().backward()
        gradients.append(at.grad)
    assert torch.equal(gradients[0], gradients[1])
    assert torch.equal(gradients[0], gradients[2])
