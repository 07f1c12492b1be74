# SPDX-License-Identifier: Apache-2.0
"""The stateless half of the pipeline over one chunk; runs in any process, on any machine."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import ChunkTask, FrameOutcome
from stn_perception.bags.evaluation.frame_reading import ReadFrame, read_frames
from stn_perception.bags.evaluation.gray import gray_pixels
from stn_perception.bags.evaluation.plain import from_plain, to_plain
from stn_perception.bags.evaluation.sharpness import sharpness
from stn_perception.bags.evaluation.warp_probe import equivariance_errors
from stn_perception.bags.evaluation.worker_state import pipeline_of, reader_of
from stn_perception.bags.truth import SeenFrame, TrueObject, regions_of
from stn_perception.messages.regions import Region
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest

Gray = NDArray[np.uint8]


def predict_chunk(task: ChunkTask) -> bytes:
    """Outcomes of all frames of a chunk, as ``chunk_bytes`` writes them.

    Every frame is a batch of its own, as it is in the node. So neither the split into chunks nor
    the number of workers shows in any bit.
    """
    pipelines = {
        model.label: pipeline_of(model, task.parameters.model, task.parameters.pipeline)
        for model in task.models
    }
    frames = read_frames(
        reader_of(task.bag), task.topics, task.frames, task.infos, task.parameters
    )
    return chunk_bytes([_outcome(read, task, pipelines) for read in frames])


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


def _outcome(read: ReadFrame, task: ChunkTask, pipelines: dict[str, Pipeline]) -> FrameOutcome:
    if read.request is None:
        assert read.refusal is not None
        return FrameOutcome(read.ref.number, (str(read.refusal.reason), str(read.refusal)))
    gray = gray_pixels(read.request.frame.pixels, read.request.frame.color)
    truths = _truths(task, read, gray)
    request = read.request
    if task.boxes_from_truth:
        request = replace(request, regions=regions_of(truths))
    predictions, errors = {}, {}
    is_probed = task.probe.every > 0 and read.ref.number % task.probe.every == 0
    for label, pipeline in pipelines.items():
        (prediction,) = pipeline.predict([request])
        predictions[label] = replace(prediction, stage_s={})
        if is_probed:
            errors[label] = equivariance_errors(
                pipeline, request, prediction, read.ref.number, task.probe
            )
    frame = request.frame
    return FrameOutcome(
        number=read.ref.number,
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        width=frame.width,
        height=frame.height,
        color=frame.color,
        regions=request.regions,
        intrinsics=request.intrinsics,
        truths=truths,
        sharpness=_sharpness(gray, request),
        predictions=predictions,
        equivariance=errors,
    )


def _truths(task: ChunkTask, read: ReadFrame, gray: Gray) -> tuple[TrueObject, ...]:
    request = read.request
    assert request is not None
    frame = request.frame
    return task.truth.objects(
        SeenFrame(
            camera=request.camera,
            stamp_ns=frame.stamp_ns,
            frame_id=frame.frame_id,
            width=frame.width,
            height=frame.height,
            gray=gray if task.truth.needs_pixels else None,
            intrinsics=request.intrinsics,
        )
    )


def _sharpness(gray: Gray, request: FrameRequest) -> dict[int, float]:
    found = {}
    for place, region in enumerate(request.regions):
        value = sharpness(gray, region) if isinstance(region, Region) else None
        if value is not None:
            found[place] = value
    return found
