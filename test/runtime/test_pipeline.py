# SPDX-License-Identifier: Apache-2.0
"""What is published from frames is complete, in order, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.quads import view_quad
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import RejectedRegion
from stn_perception.runtime.frame import DepthFrame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

from .pipeline_requests import (
    HEIGHT,
    IDENTITY,
    INTRINSICS,
    WIDTH,
    K,
    MakeArchive,
    box,
    color_frame,
    only,
    request,
)


class Wandering(nn.Module):
    """An affine answer that depends on the crop."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.features = nn.Sequential(nn.Conv2d(1, 4, 5, stride=4), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4 * 7 * 7, 6)
        with torch.no_grad():
            self.head.weight.mul_(0.3)
            self.head.bias.copy_(torch.tensor([0.8, 0, 0, 0, 0.8, 0]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(crops).flatten(1)).view(-1, 2, 3)


def drive(pipeline: Pipeline, split: bool = False) -> list[FrameResult]:
    results: list[FrameResult] = []
    for step in range(6):
        requests = [
            FrameRequest(
                camera,
                color_frame(50 * step, seed=10 * number + step),
                tuple(box(80 + 60 * i + 2 * step, 100, 70, 60) for i in range(2 + number)),
                INTRINSICS if number else None,
            )
            for number, camera in enumerate(["left", "right"])
        ]
        if split:
            for one in requests:
                results += pipeline.process([one])
        else:
            results += pipeline.process(requests)
    return results


def test_same_input_and_same_batches_give_the_same_bits(make_archive: MakeArchive) -> None:
    settings = PipelineSettings(smoothing=0.4, refinement_steps=1)
    archive = make_archive(Wandering(), symmetry=4)
    first, second = (drive(Pipeline(archive, settings)) for _ in range(2))
    other_batches = drive(Pipeline(archive, settings), split=True)
    for a, b, c in zip(first, second, other_batches, strict=True):
        assert len(a.objects) == len(b.objects) == len(c.objects) > 0
        for x, y, z in zip(a.objects, b.objects, c.objects, strict=True):
            np.testing.assert_array_equal(x.frame_from_view, y.frame_from_view)
            np.testing.assert_array_equal(x.view, y.view)
            assert (x.slot, x.track_id) == (y.slot, y.track_id) == (z.slot, z.track_id)
            quads = [view_quad(i.frame_from_view, 32, 32) for i in (x, z)]
            np.testing.assert_allclose(quads[0], quads[1], rtol=1e-5, atol=1e-3)


def test_predicting_first_and_finishing_later_is_the_same(make_archive: MakeArchive) -> None:
    archive = make_archive(Wandering())
    requests = [request(box(100 + 3 * step, 120), stamp_ms=50 * step) for step in range(4)]
    whole = Pipeline(archive).process(requests)
    halves = Pipeline(archive)
    predictions = halves.predict(requests)
    cut = [halves.finish(r, p) for r, p in zip(requests, predictions, strict=True)]
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.objects[0].frame_from_view, b.objects[0].frame_from_view)
        assert a.objects[0].track_id == b.objects[0].track_id


def test_every_region_is_an_object_or_has_a_reason(make_archive: MakeArchive) -> None:
    regions = (
        box(),
        RejectedRegion(1, "x", DropReason.NOT_FINITE, "the box is NaN"),
        box(-500, 0),
        box(250, 100, 30, 30),
        box(100, 60, 0, 10),
    )
    (result,) = Pipeline(make_archive(IDENTITY)).process([request(*regions)])
    assert len(result.objects) + len(result.dropped) == len(regions)
    assert [drop.index for drop in result.dropped] == [1, 2, 4]
    assert set(result.stage_s) == {"crop", "network", "compose", "track", "pose", "warp"}
    assert all(seconds >= 0 for seconds in result.stage_s.values())


def test_no_boxes_give_an_empty_result(make_archive: MakeArchive) -> None:
    empty = FrameRequest("front", color_frame(), ())
    (result,) = Pipeline(make_archive(IDENTITY)).process([empty])
    assert result.objects == () and result.dropped == ()
    assert (result.width, result.height, result.frame_id) == (WIDTH, HEIGHT, "camera_optical")


def test_only_wanted_slots_are_warped_and_all_are_tracked(make_archive: MakeArchive) -> None:
    regions = (box(80, 120, 60, 60), box(160, 120, 60, 60), box(240, 120, 60, 60))
    pipeline = Pipeline(make_archive(IDENTITY))
    (result,) = pipeline.process([request(*regions)], wanted={"front": {1}})
    assert [item.slot for item in result.objects] == [0, 1, 2]
    assert [item.view is not None for item in result.objects] == [False, True, False]
    (result,) = pipeline.process([request(*regions, stamp_ms=50)], wanted={"other": {0}})
    assert all(item.view is None for item in result.objects)
    (result,) = pipeline.process([request(*regions, stamp_ms=100)])
    assert all(item.view is not None for item in result.objects)


def test_objects_beyond_the_slots_are_reported_without_one(make_archive: MakeArchive) -> None:
    regions = (box(80, 120, 60, 60), box(240, 120, 60, 60))
    pipeline = Pipeline(make_archive(IDENTITY), PipelineSettings(max_objects=1))
    (result,) = pipeline.process([request(*regions)])
    assert [item.slot for item in result.objects] == [0, None]
    assert result.objects[1].view is None


def test_a_jump_back_resets_the_camera_it_happens_to(make_archive: MakeArchive) -> None:
    pipeline = Pipeline(make_archive(IDENTITY))

    def tracks(stamps: dict[str, int]) -> dict[str, int]:
        results = pipeline.process(
            [request(camera=camera, stamp_ms=stamp) for camera, stamp in stamps.items()]
        )
        return {result.camera: result.objects[0].track_id for result in results}

    first = tracks({"left": 1000, "right": 1000})
    second = tracks({"left": 0, "right": 1050})
    assert second["left"] != first["left"]
    assert second["right"] == first["right"]
    pipeline.reset("right")
    third = tracks({"left": 50, "right": 1100})
    assert third["left"] == second["left"]
    assert third["right"] != second["right"]


def test_a_replaced_model_is_used_from_the_next_call_and_tracks_live_on(
    make_archive: MakeArchive,
) -> None:
    pipeline = Pipeline(make_archive(IDENTITY))
    before = only(pipeline.process([request()]))
    pipeline.replace_model(make_archive([[0.8, 0, 0], [0, 0.8, 0]], view_width=50))
    pipeline.replace_settings(PipelineSettings(view_height=20))
    after = only(pipeline.process([request(stamp_ms=50)]))
    assert after.track_id == before.track_id
    assert after.view is not None and after.view.shape == (20, 50, 3)
    np.testing.assert_allclose(after.oriented_box.width, 80, rtol=1e-6)
    with pytest.raises(ValueError, match="backend"):
        pipeline.replace_settings(PipelineSettings(backend="none"))
    assert pipeline.settings.view_height == 20


def test_a_call_that_runs_keeps_the_settings_it_began_with(
    make_archive: MakeArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = make_archive(IDENTITY)
    pipeline = Pipeline(archive)
    predict = archive.predict

    def predict_and_replace(crops: torch.Tensor) -> object:
        pipeline.replace_settings(PipelineSettings(max_objects=1))
        return predict(crops)

    monkeypatch.setattr(archive, "predict", predict_and_replace)
    regions = box(80, 120, 60, 60), box(220, 120, 60, 60)
    (first,) = pipeline.process([request(*regions)])
    (second,) = pipeline.process([request(*regions, stamp_ms=50)])
    assert [item.slot for item in first.objects] == [0, 1]
    assert [item.slot for item in second.objects] == [0, None]


def test_both_back_ends_serve_the_pipeline(make_archive: MakeArchive) -> None:
    archive = make_archive(Wandering())
    items = [
        only(Pipeline(archive, PipelineSettings(backend=name)).process([request()]))
        for name in ("opencv", "reference")
    ]
    quads = [view_quad(item.frame_from_view, 32, 32) for item in items]
    np.testing.assert_allclose(quads[0], quads[1], atol=0.3)


def test_a_depth_image_or_camera_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="depth image is 10×8"):
        request(depth=DepthFrame(np.ones((8, 10), dtype=np.float32)))
    with pytest.raises(ValueError, match="640×480"):
        request(intrinsics=PinholeIntrinsics(K, width=640, height=480))
