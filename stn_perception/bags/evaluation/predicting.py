# SPDX-License-Identifier: Apache-2.0
"""The stateless half of the pipeline over one chunk; runs in any process, on any machine."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from stn_perception.bags.evaluation.chunk import ChunkTask, FrameOutcome
from stn_perception.bags.evaluation.frame_reading import ReadFrame, read_frames
from stn_perception.bags.evaluation.plain import from_plain, to_plain
from stn_perception.bags.evaluation.sharpness import sharpness
from stn_perception.bags.evaluation.warp_probe import equivariance_errors
from stn_perception.bags.evaluation.worker_state import pipeline_of, prepare_process, reader_of
from stn_perception.bags.truth import SeenFrame, TrueObject, regions_of
from stn_perception.messages.regions import Region
from stn_perception.runtime.gray import gray_pixels
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import Prediction


def predict_chunk(task: ChunkTask) -> bytes:
    """Outcomes of all frames of a chunk, as ``chunk_bytes`` writes them.

    Frames go through the network in groups that are the same however the camera's frames are cut
    into chunks. So neither the split nor the number of workers shows in any bit.
    """
    prepare_process()
    pipelines = {
        model.label: pipeline_of(model, task.parameters.model, task.parameters.pipeline)
        for model in task.models
    }
    frames = read_frames(
        reader_of(task.bag), task.topics, task.frames, task.infos, task.parameters
    )
    outcomes: list[FrameOutcome] = []
    while group := list(islice(frames, task.batch_frames)):
        outcomes += _outcomes(group, task, pipelines)
    return chunk_bytes(outcomes)


def chunk_bytes(outcomes: list[FrameOutcome]) -> bytes:
    """Compressed JSON of outcomes; the same outcomes give the same bytes."""
    text = json.dumps(to_plain(outcomes), separators=(",", ":"))
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)


def chunk_outcomes(data: bytes) -> tuple[FrameOutcome, ...]:
    """The inverse of ``chunk_bytes``.

    Raises:
        ValueError: The bytes are not whole, or not of outcomes.
    """
    try:
        outcomes: tuple[FrameOutcome, ...] = from_plain(json.loads(gzip.decompress(data)))
    except (EOFError, OSError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no finished chunk: {error}") from error
    return outcomes


def _outcomes(
    group: Sequence[ReadFrame], task: ChunkTask, pipelines: Mapping[str, Pipeline]
) -> list[FrameOutcome]:
    """Outcomes of frames that share the network's batches."""
    seen = [_seen(read, read.request, task) for read in group if read.request is not None]
    requests = [each.request for each in seen]
    predictions = {label: pipeline.predict(requests) for label, pipeline in pipelines.items()}
    usable = {
        each.number: _outcome(
            each, {label: found[place] for label, found in predictions.items()}, task, pipelines
        )
        for place, each in enumerate(seen)
    }
    return [usable.get(read.ref.number) or _refused(read) for read in group]


def _refused(read: ReadFrame) -> FrameOutcome:
    assert read.refusal is not None
    return FrameOutcome(read.ref.number, (str(read.refusal.reason), str(read.refusal)))


class _Seen(NamedTuple):
    """A usable frame with what its pixels tell."""

    number: int
    request: FrameRequest
    truths: tuple[TrueObject, ...]
    sharpness: dict[int, float]


def _seen(read: ReadFrame, request: FrameRequest, task: ChunkTask) -> _Seen:
    truths = _truths(task, request)
    if task.boxes_from_truth:
        request = replace(request, regions=regions_of(truths))
    return _Seen(read.ref.number, request, truths, _sharpness(request))


def _outcome(
    seen: _Seen,
    predictions: Mapping[str, Prediction],
    task: ChunkTask,
    pipelines: Mapping[str, Pipeline],
) -> FrameOutcome:
    request, frame = seen.request, seen.request.frame
    is_probed = task.probe.every > 0 and seen.number % task.probe.every == 0
    return FrameOutcome(
        number=seen.number,
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        width=frame.width,
        height=frame.height,
        color=frame.color,
        regions=request.regions,
        intrinsics=request.intrinsics,
        truths=seen.truths,
        sharpness=seen.sharpness,
        predictions={label: replace(each, stage_s={}) for label, each in predictions.items()},
        equivariance={
            label: equivariance_errors(
                pipeline, request, predictions[label], seen.number, task.probe
            )
            for label, pipeline in pipelines.items()
            if is_probed
        },
    )


def _truths(task: ChunkTask, request: FrameRequest) -> tuple[TrueObject, ...]:
    frame = request.frame
    return task.truth.objects(
        SeenFrame(
            camera=request.camera,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            width=frame.width,
            height=frame.height,
            gray=gray_pixels(frame.pixels, frame.color) if task.truth.needs_pixels else None,
            intrinsics=request.intrinsics,
        )
    )


def _sharpness(request: FrameRequest) -> dict[int, float]:
    found = {}
    for place, region in enumerate(request.regions):
        value = sharpness(request.frame, region) if isinstance(region, Region) else None
        if value is not None:
            found[place] = value
    return found
