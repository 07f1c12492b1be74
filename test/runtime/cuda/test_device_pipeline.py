# SPDX-License-Identifier: Apache-2.0
"""The device's pipeline against the canonicalizer with the reference back end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings

from .scenes import picture

BOXES = [[(30.0, 24.0, 26.0, 22.0), (52.5, 30.0, 20.0, 30.0)], [(40.0, 33.0, 30.0, 30.0)]]


class LooksAtIt(nn.Module):
    """A small projective network whose output depends on what it sees."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.layer = nn.Linear(3 * 4 * 4, 9)
        nn.init.normal_(self.layer.weight, std=0.03)
        bias = torch.tensor([0.7, 0.1, 0.05, -0.1, 0.75, 0.0, 0.05, 0.02, 1.0])
        self.layer.bias.data.copy_(bias)

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        means = nn.functional.adaptive_avg_pool2d(crops, (4, 4)).flatten(1)
        return {"theta": self.layer(means).view(-1, 3, 3), "score": means.mean(dim=1)}


def frames() -> list[Frame]:
    return [picture(80, 60, "bgr", seed=1), picture(72, 66, "rgb", seed=2)]


@pytest.fixture
def archive(device: torch.device, make_archive: Callable[..., ModelArchive]) -> ModelArchive:
    path = make_archive(
        LooksAtIt(),
        family="projective",
        channels=3,
        input_width=12,
        input_height=12,
        view_width=20,
        view_height=14,
        mean=(0.5, 0.4, 0.3),
        std=(0.2, 0.3, 0.4),
        refinement_steps=1,
    ).path
    return ModelArchive.open(path, device=str(device))


def test_it_gives_what_the_canonicalizer_and_the_reference_give(archive: ModelArchive) -> None:
    from stn_perception.runtime.cuda.device_pipeline import BoxedFrame, DevicePipeline

    settings = PipelineSettings(box_sigma=0.0, min_valid_fraction=0.0)
    pipeline = DevicePipeline(archive, settings, [3], max_frames=2)
    boxed = [
        BoxedFrame(frame, np.array([[*box, 0.0] for box in boxes]))
        for frame, boxes in zip(frames(), BOXES, strict=True)
    ]
    result = pipeline.run(boxed)

    reference = get_backend("reference")
    requests = [
        FrameRequest(
            f"camera{number}",
            item.frame,
            tuple(Region(AxisAlignedBox(*box), "", "", 1.0) for box in boxes),
        )
        for number, (item, boxes) in enumerate(zip(boxed, BOXES, strict=True))
    ]
    predictions = Canonicalizer(archive, settings, reference).predict(requests)
    expected = [
        (request.frame, estimate)
        for request, prediction in zip(requests, predictions, strict=True)
        for estimate in prediction.estimates
    ]
    assert len(expected) == len(result.views) == 3
    assert result.outputs["score"].shape == (3,)
    assert (result.valid_fraction == 1).all()
    for (frame, estimate), view, matrix in zip(
        expected, result.views, result.frame_from_view, strict=True
    ):
        # Inputs differ by up to half a level, and with them what the network makes of them.
        np.testing.assert_allclose(matrix, estimate.frame_from_view, rtol=2e-3, atol=2e-2)
        warped = reference.warp_view(frame, matrix, 20, 14)
        assert np.abs(view.astype(int) - warped).max() <= 1


def test_a_call_takes_the_smallest_batch_and_settles_on_its_buffers(
    archive: ModelArchive,
) -> None:
    from stn_perception.runtime.cuda.device_pipeline import BoxedFrame, DevicePipeline

    settings = PipelineSettings(refinement_steps=0)
    pipeline = DevicePipeline(archive, settings, [3, 1], max_frames=2)
    box = np.array([[30.0, 24.0, 26.0, 22.0, 0.0]])
    first, second = frames()
    alone = pipeline.run([BoxedFrame(first, box)]).views[0].copy()
    both = pipeline.run([BoxedFrame(second, box), BoxedFrame(first, box)]).views
    np.testing.assert_allclose(both[1].astype(int), alone, atol=1)
    assert pipeline.store.buffers == 2
    assert pipeline.run([]).views == []
    with pytest.raises(ValueError, match="4 boxes were given, expected at most 3"):
        pipeline.run([BoxedFrame(first, np.repeat(box, 4, axis=0))])
    with pytest.raises(ValueError, match="4 channels, expected at most the 3"):
        pipeline.run([BoxedFrame(picture(80, 60, "rgba"), box)])


def test_the_whole_pipeline_runs_on_the_back_end(
    device: torch.device, archive: ModelArchive
) -> None:
    from stn_perception.runtime.cuda.warp_triton import TritonBackend

    settings = PipelineSettings(box_sigma=0.0, min_valid_fraction=0.0, refinement_steps=0)
    region = Region(AxisAlignedBox(*BOXES[0][0]), "", "", 1.0)
    request = FrameRequest("front", frames()[0], (region,))
    ours, theirs = (
        Pipeline(archive, settings, backend).process([request])[0].objects
        for backend in (TritonBackend(device), get_backend("reference"))
    )
    assert len(ours) == len(theirs) == 1
    assert ours[0].view is not None
    expected = get_backend("reference").warp_view(request.frame, ours[0].frame_from_view, 20, 14)
    assert np.abs(ours[0].view.astype(int) - expected).max() <= 1
    np.testing.assert_allclose(
        ours[0].frame_from_view, theirs[0].frame_from_view, rtol=2e-3, atol=2e-2
    )


def test_a_prediction_that_is_no_number_gives_a_black_view(
    device: torch.device, make_archive: Callable[..., ModelArchive]
) -> None:
    from stn_perception.runtime.cuda.batch_steps import BatchSteps
    from stn_perception.runtime.cuda.device_pipeline import batch_shape
    from stn_perception.runtime.cuda.parameters import Parameters

    shape = batch_shape(make_archive(torch.eye(3)[:2]), PipelineSettings(), view_channels=1)
    parameters = Parameters(1, 1, device)
    frame = torch.full((40, 40), 200, dtype=torch.uint8, device=device)
    parameters.write([(frame.data_ptr(), 40, 40, 40, 1, 0)], [0], np.eye(3)[None], [0])
    steps = BatchSteps(
        shape,
        lambda crops: torch.full((len(crops), 2, 3), torch.nan, device=device),
        1,
        parameters,
        device,
    )
    steps.run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    assert int(steps.host_views.max()) == 0
    assert float(steps.host_exact[0, 9]) == 0
    assert bool(torch.isnan(steps.host_outputs["theta"]).all())
