# SPDX-License-Identifier: Apache-2.0
"""One camera of one recording: predict anywhere, follow here in order, warp anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import ChunkTask, FrameOutcome, ModelChoice
from stn_perception.bags.evaluation.cluster import Pending, Workers
from stn_perception.bags.evaluation.finished_chunks import FinishedChunks, chunk_key
from stn_perception.bags.evaluation.frame_reading import read_depths
from stn_perception.bags.evaluation.frame_refs import FrameRef
from stn_perception.bags.evaluation.in_order import results_in_order
from stn_perception.bags.evaluation.planning import CameraPlan
from stn_perception.bags.evaluation.predicting import chunk_outcomes, predict_chunk
from stn_perception.bags.evaluation.sequel import Followed, Sequel
from stn_perception.bags.evaluation.tally import Tally
from stn_perception.bags.evaluation.view_work import SeenViews, ViewTask, see_views
from stn_perception.bags.evaluation.worker_state import archive_of, reader_of
from stn_perception.bags.writer import BagWriter
from stn_perception.runtime.frame import DepthFrame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.warp_opencv import OpenCvBackend

NODE = "/canonicalizer"

References = Mapping[str, NDArray[np.uint8]]


class _Group(NamedTuple):
    """The frames of a chunk as one model sees them."""

    task: ChunkTask
    model: ModelChoice
    followed: list[Followed]


class CameraWork:
    """Brings a camera's frames through the pipeline.

    Args:
        name: The recording's, for the records.
        plan: What is to be done.
        models: What to run.
        workers: Who does it.
        kept: Finished chunks.
        references: What views are compared with.
        progress: Called with the number of frames that are done.
    """

    def __init__(
        self,
        name: str,
        plan: CameraPlan,
        models: tuple[ModelChoice, ...],
        workers: Workers,
        kept: FinishedChunks,
        references: References,
        progress: Callable[[int], None],
    ) -> None:
        self._name = name
        self._plan = plan
        self._models = models
        self._workers = workers
        self._kept = kept
        self._references = references
        self._progress = progress

    def run(self, tasks: Sequence[ChunkTask], tally: Tally, part: BagWriter | None) -> None:
        """Do all of it.

        Args:
            tasks: The camera's frames in pieces, in order.
            tally: Takes the records.
            part: Takes the messages that the node would publish; None where nobody wants them.
        """
        groups = self._followed(tasks, tally)
        if part is None and not self._references:
            for group in groups:
                tally.add(group.model.label, group.followed, {})
            return
        for group, found in results_in_order(
            groups, lambda group: self._see_views(group, part is not None), self._workers
        ):
            seen: dict[int, SeenViews] = {each.number: each for each in found}
            tally.add(group.model.label, group.followed, seen)
            if part is not None:
                _write(part, group.followed, seen)

    def _followed(self, tasks: Sequence[ChunkTask], tally: Tally) -> Iterator[_Group]:
        sequels = {model: self._sequel(model) for model in self._models}
        for task, outcomes in results_in_order(tasks, self._predict, self._workers):
            for outcome in outcomes:
                tally.count(outcome)
            usable = [
                (ref, outcome)
                for ref, outcome in zip(task.frames, outcomes, strict=True)
                if outcome.refused is None
            ]
            depths = self._depths(task, [ref for ref, _ in usable])
            for model, sequel in sequels.items():
                yield _Group(task, model, sequel.follow(usable, depths))
            self._progress(len(task.frames))

    def _sequel(self, model: ModelChoice) -> Sequel:
        parameters = self._plan.parameters
        archive = archive_of(model, parameters.model)
        # No pixels are asked of it: the back end that has nothing to load.
        pipeline = Pipeline(archive, parameters.pipeline, OpenCvBackend())
        symmetry = archive.card.symmetry
        camera = self._plan.scan.topics.camera
        return Sequel(self._name, camera, model.label, pipeline, symmetry)

    def _predict(self, task: ChunkTask) -> Pending:
        key = chunk_key(self._plan.identity, task.frames[0].number, task.frames[-1].number)
        known = self._kept.find(key)
        if known is not None:
            return _Known(known)
        return _Kept(self._workers.submit(predict_chunk, task), self._kept, key)

    def _depths(self, task: ChunkTask, usable: Sequence[FrameRef]) -> dict[int, DepthFrame]:
        """Depth images of a chunk's usable frames: poses are found from them after tracking."""
        refs = [ref for ref in usable if ref.depth is not None]
        return dict(read_depths(reader_of(task.bag), task.topics, refs)) if refs else {}

    def _see_views(self, group: _Group, is_written: bool) -> Pending:
        task, model = group.task, group.model
        view_task = ViewTask(
            bag=task.bag,
            topics=task.topics,
            infos=task.infos,
            parameters=task.parameters,
            frames=tuple((each.ref, each.result) for each in group.followed),
            model=model,
            symmetry=archive_of(model, task.parameters.model).card.symmetry,
            references=self._references,
            namespace=NODE if is_written else "",
        )
        return self._workers.submit(see_views, view_task)


class _Known:
    """A chunk that an earlier run finished."""

    def __init__(self, outcomes: tuple[FrameOutcome, ...]) -> None:
        self._outcomes = outcomes

    def result(self) -> tuple[FrameOutcome, ...]:
        return self._outcomes


class _Kept:
    """A chunk in work that is kept on disk once it is done."""

    def __init__(self, work: Pending, kept: FinishedChunks, key: str) -> None:
        self._work = work
        self._kept = kept
        self._key = key

    def result(self) -> tuple[FrameOutcome, ...]:
        data: bytes = self._work.result()
        self._kept.keep(self._key, data)
        return chunk_outcomes(data)


def _write(part: BagWriter, followed: list[Followed], seen: Mapping[int, SeenViews]) -> None:
    """Messages at the time at which their frame was complete."""
    for each in followed:
        for topic, type_name, data in seen[each.ref.number].messages:
            part.add_topic(topic, type_name)
            part.write(topic, each.ref.done_ns, data)
