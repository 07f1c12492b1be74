# SPDX-License-Identifier: Apache-2.0
"""The whole run: recordings one after the other, their chunks wherever there are workers."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.camera_work import CameraWork
from stn_perception.bags.evaluation.cluster import InThisProcess, Workers, workers
from stn_perception.bags.evaluation.drawing import BegunPictures
from stn_perception.bags.evaluation.finished_chunks import FinishedChunks
from stn_perception.bags.evaluation.models import model_choices, model_facts
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.planning import CameraPlan, plan_cameras
from stn_perception.bags.evaluation.records import (
    EvaluatedBag,
    Evaluation,
    FrameRecord,
    ModelFacts,
    ViewRecord,
)
from stn_perception.bags.evaluation.references import read_references
from stn_perception.bags.evaluation.tally import Tally
from stn_perception.bags.evaluation.worker_state import close_readers
from stn_perception.bags.evaluation.write_back import WriteBack
from stn_perception.bags.opening import OpenedBag, opened
from stn_perception.bags.reader import BagReader

Progress = Callable[[int, int], None]
# Starting processes takes seconds, as long as some hundred frames.
_CHUNKS_WORTH_PROCESSES = 8


class _BagPlan(NamedTuple):
    """A recording with its cameras."""

    uri: str
    bag: OpenedBag
    cameras: list[CameraPlan]


class Evaluator:
    """Runs one evaluation.

    Args:
        options: What to do.
        kept: Finished chunks, of an earlier run that was stopped and of this one.
        progress: Called with frames done and frames there are.

    Raises:
        BagError: The options do not fit each other.
        ArchiveError: A model cannot be opened.
    """

    def __init__(
        self,
        options: EvaluationOptions,
        kept: FinishedChunks,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._options = options
        self._kept = kept
        self._progress = progress
        self._models = model_choices(options)
        self._references = read_references(options.references) if options.references else {}
        self._planned: list[_BagPlan] = []
        self._done = self._total = 0
        self._stack = contextlib.ExitStack()
        self._is_entered = False
        self._hands: Workers = InThisProcess()
        if options.write is not None and (len(options.bags) > 1 or len(self._models) > 1):
            raise BagError(
                "a recording is written for one bag and one model, expected no more; there are "
                f"{len(options.bags)} bags and {len(self._models)} models."
            )

    def __enter__(self) -> Evaluator:
        """Let workers that ``run`` starts stay until the block ends, for ``pictures``."""
        self._is_entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the workers go."""
        self._is_entered, self._hands = False, InThisProcess()
        self._stack.__exit__(kind, error, trace)

    def run(self, command: str = "") -> Evaluation:
        """Evaluate every recording.

        One that cannot be read is left out with its sentence and counted (``unreadable_bags``).

        Args:
            command: The exact command line, for the record.

        Raises:
            BagError: None of them can be read, or a worker fails.
        """
        if not self._is_entered:
            with self:
                return self.run(command)
        began_s = time.monotonic()
        views: list[ViewRecord] = []
        frames: list[FrameRecord] = []
        options = self._options
        try:
            with ThreadPoolExecutor(1) as planner:
                planning = planner.submit(self._plans)
                opening = planner.submit(self._facts)
                count = options.workers
                if count is None:  # else workers start meanwhile
                    count = self._worker_count(planning.result()[0])
                self._hands = self._stack.enter_context(self._workers(count))
                self._planned, bags = planning.result()
                models = opening.result()
            self._total = _frames(self._planned)
            for plan in self._planned:
                tally = self._evaluate(plan)
                with BagReader(plan.bag.path) as reader:
                    bags[plan.uri] = tally.evaluated(plan.uri, reader.start_ns, reader.end_ns)
                for model in self._models:
                    views += tally.views[model.label]
                    frames += tally.frames[model.label]
        finally:
            close_readers()
        return Evaluation(
            bags=tuple(bags[uri] for uri in dict.fromkeys(options.bags)),
            models=models,
            views=tuple(views),
            frames=tuple(frames),
            command=command,
            seconds=time.monotonic() - began_s,
        )

    def pictures(self, records: Sequence[ViewRecord]) -> BegunPictures:
        """Begin to draw some views of the run."""
        cameras = [(plan.bag.name, camera) for plan in self._planned for camera in plan.cameras]
        return BegunPictures(cameras, records, self._hands)

    def _plans(self) -> tuple[list[_BagPlan], dict[str, EvaluatedBag]]:
        """What to do with each recording, and those with which nothing can be done."""
        plans: list[_BagPlan] = []
        refused: dict[str, EvaluatedBag] = {}
        first: BagError | None = None
        for uri in dict.fromkeys(self._options.bags):
            try:
                bag = opened(uri, self._options.cache)
                cameras = plan_cameras(bag, uri, self._models, self._options)
            except BagError as error:
                first = first or error
                refused[uri] = EvaluatedBag(
                    uri, uri, "", 0, 0, 0, {"unreadable_bags": 1}, (str(error),)
                )
            else:
                plans.append(_BagPlan(uri, bag, cameras))
        if first is not None and not plans:
            raise first
        return plans, refused

    def _facts(self) -> dict[str, ModelFacts]:
        """Which networks they are; each is open from now on."""
        settings = self._options.parameters.model
        return {model.label: model_facts(model, settings) for model in self._models}

    def _worker_count(self, plans: Sequence[_BagPlan]) -> int:
        """So many processes as pay."""
        pieces = -(-_frames(plans) // self._options.chunk_frames)
        cores = len(os.sched_getaffinity(0))
        return min(cores, pieces) if cores > 1 and pieces >= _CHUNKS_WORTH_PROCESSES else 0

    def _workers(self, count: int) -> contextlib.AbstractContextManager[Workers]:
        options = self._options
        return workers(count, options.scheduler, options.memory_limit, options.pin, self._models)

    def _evaluate(self, plan: _BagPlan) -> Tally:
        options = self._options
        tally = Tally(plan.bag, [model.label for model in self._models])
        with contextlib.ExitStack() as stack:
            target = options.write
            writing = None if target is None else stack.enter_context(WriteBack(target))
            for camera in plan.cameras:
                tally.add_scan(camera.scan.skipped, camera.scan.sentences)
                work = CameraWork(
                    plan.bag.name,
                    camera,
                    self._models,
                    self._hands,
                    self._kept,
                    self._references,
                    self._advance,
                )
                tasks = camera.chunks(self._models, options)
                if writing is None:
                    work.run(tasks, tally, None)
                else:
                    with writing.part() as part:
                        work.run(tasks, tally, part)
                if options.truth.source != "none":
                    tally.look_for_truth(camera.scan.topics.camera)
            if writing is not None:
                writing.finish(plan.bag.path)
        return tally

    def _advance(self, frames: int) -> None:
        self._done += frames
        self._progress(self._done, self._total)


def _frames(plans: Sequence[_BagPlan]) -> int:
    return sum(len(camera.scan.frames) for plan in plans for camera in plan.cameras)
