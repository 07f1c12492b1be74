# SPDX-License-Identifier: Apache-2.0
"""What the working thread does with a batch of frames; every frame gets its outcome here."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.node.camera_counters import CameraCounters
from stn_perception.node.camera_outputs import CameraOutputs
from stn_perception.node.foreign_encodings import frame_through_cv_bridge
from stn_perception.node.pipeline_mailbox import PipelineMailbox
from stn_perception.node.reporter import Reporter
from stn_perception.node.result_publishing import ResultPublisher
from stn_perception.runtime.archive_errors import ModelError
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.intake.frame_job import FrameJob, frame_of, request_of
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult


@dataclass(frozen=True)
class CameraStation:
    """What the working thread needs to know about one camera."""

    counters: CameraCounters
    latch: CameraInfoLatch
    outputs: CameraOutputs


@dataclass(frozen=True)
class _Accepted:
    job: FrameJob
    request: FrameRequest
    watched: frozenset[str]


class FrameProcessor:
    """Turns jobs into published results.

    Args:
        stations: By camera.
        mailbox: The pipeline.
        parameters: Gives the running parameters.
        publisher: Makes and sends the messages of a result.
        reporter: Takes sentences about what was dropped.
    """

    def __init__(
        self,
        stations: Mapping[str, CameraStation],
        mailbox: PipelineMailbox,
        parameters: Callable[[], NodeParameters],
        publisher: ResultPublisher,
        reporter: Reporter,
    ) -> None:
        self._stations = stations
        self._mailbox = mailbox
        self._parameters = parameters
        self._publisher = publisher
        self._reporter = reporter

    def process(self, jobs: Sequence[FrameJob]) -> None:
        """Process one batch; never raises, every job ends as used or dropped."""
        started_s = time.monotonic()
        accepted = [each for each in (self._try_accept(job, started_s) for job in jobs) if each]
        if not accepted:
            return
        wanted = {
            each.job.camera: self._stations[each.job.camera].outputs.wanted_slots(each.watched)
            for each in accepted
        }
        try:
            results = self._mailbox.process([each.request for each in accepted], wanted)
        except ModelError as error:
            self._fail(accepted, DropReason.MODEL_ERROR, str(error))
            return
        except Exception:
            self._fail(accepted, DropReason.INTERNAL_ERROR, _defect())
            return
        for each, result in zip(accepted, results, strict=True):
            self._try_publish(each, result)

    def drop(self, job: FrameJob, reason: DropReason) -> None:
        """Give a job up: its frame, and what was paired with it, count under ``reason``."""
        counters = self._stations[job.camera].counters
        counters.frames.count_dropped(reason)
        if job.detections is not None:
            counters.detections.count_dropped(reason)
        if job.depth is not None:
            counters.depth.count_dropped(reason)

    # Whatever is caught below as Exception is a defect, not a bad input: the frame is counted, the
    # trace is logged, and the node goes on with the next frames.

    def _try_accept(self, job: FrameJob, started_s: float) -> _Accepted | None:
        try:
            return self._accept(job, started_s)
        except MessageError as error:
            self.drop(job, error.reason)
            self._reporter.report(
                f"{job.camera} {error.reason}",
                f"A frame of '{job.camera}' is dropped ({error.reason}): {error}.",
            )
        except Exception:
            self.drop(job, DropReason.INTERNAL_ERROR)
            self._reporter.report("defect", _defect())
        return None

    def _try_publish(self, each: _Accepted, result: FrameResult) -> None:
        try:
            self._publish(each, result)
        except Exception:
            self._fail([each], DropReason.INTERNAL_ERROR, _defect())

    def _accept(self, job: FrameJob, started_s: float) -> _Accepted:
        station, parameters = self._stations[job.camera], self._parameters()
        inputs, max_boxes = parameters.inputs, parameters.pipeline.max_boxes
        frame = frame_of(job, inputs, frame_through_cv_bridge)
        request = request_of(job, frame, station.latch, inputs, max_boxes)
        station.counters.latencies.add(
            {"wait": started_s - job.taken_s, "decode": time.monotonic() - started_s}
        )
        station.counters.boxes.count_received(len(request.regions))
        return _Accepted(job, request, frozenset(station.outputs.watched()))

    def _fail(self, accepted: Sequence[_Accepted], reason: DropReason, text: str) -> None:
        for each in accepted:
            self.drop(each.job, reason)
            boxes = self._stations[each.job.camera].counters.boxes
            boxes.count_dropped(reason, len(each.request.regions))
        self._reporter.report(reason, f"{len(accepted)} frames are dropped ({reason}): {text}")

    def _publish(self, each: _Accepted, result: FrameResult) -> None:
        job = each.job
        station = self._stations[job.camera]
        counters = station.counters
        began_s = time.monotonic()
        views = self._publisher.publish(
            station.outputs, result, each.request.frame, each.watched, self._parameters().outputs
        )
        ended_s = time.monotonic()
        self._count_boxes(counters, job.camera, result)
        for _ in range(views):
            counters.views_out.tick()
        counters.results_out.tick()
        counters.frames.count_used()
        if job.detections is not None:
            counters.detections.count_used()
        if job.depth is not None:
            counters.depth.count_used()
        counters.latencies.add(
            {**result.stage_s, "publish": ended_s - began_s, "total": ended_s - job.taken_s}
        )

    def _count_boxes(self, counters: CameraCounters, camera: str, result: FrameResult) -> None:
        counters.boxes.count_used(len(result.objects))
        for _ in range(sum(item.is_uncertain for item in result.objects)):
            counters.uncertain.tick()
        for region in result.dropped:
            counters.boxes.count_dropped(region.reason)
            self._reporter.report(
                f"{camera} box {region.reason}",
                f"A box of '{camera}' is dropped ({region.reason}): {region.detail}.",
            )


def _defect() -> str:
    return f"this is a defect, please report it:\n{traceback.format_exc()}"
