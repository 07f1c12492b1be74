# SPDX-License-Identifier: Apache-2.0
"""Pictures of single views of a run, drawn wherever there are workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stn_perception.bags.evaluation.cluster import Pending, Workers
from stn_perception.bags.evaluation.pictures import PictureTask, ViewPictures, draw_views
from stn_perception.bags.evaluation.planning import CameraPlan
from stn_perception.bags.evaluation.records import ViewRecord
from stn_perception.bags.evaluation.worker_state import close_readers


class BegunPictures:
    """Pictures that workers draw while something else is done here.

    Args:
        cameras: Those of the run, each with the name of its recording.
        records: The views to draw.
        workers: Who draws them.
    """

    def __init__(
        self,
        cameras: Sequence[tuple[str, CameraPlan]],
        records: Sequence[ViewRecord],
        workers: Workers,
    ) -> None:
        self._begun: list[tuple[list[int], Pending]] = []
        for bag, plan in cameras:
            camera = plan.scan.topics.camera
            wanted = [k for k, r in enumerate(records) if (r.bag, r.camera) == (bag, camera)]
            for places in _shared_out(wanted, workers.count):
                task = _task(plan, [records[place] for place in places])
                self._begun.append((places, workers.submit(draw_views, task)))

    def result(self) -> list[ViewPictures]:
        """Wait for them; in the order of the records."""
        drawn: dict[int, ViewPictures] = {}
        try:
            for places, work in self._begun:
                drawn.update(zip(places, work.result(), strict=True))
        finally:
            close_readers()
        return [drawn[place] for place in sorted(drawn)]


def _shared_out(places: list[int], count: int) -> Iterator[list[int]]:
    shares = (places[first::count] for first in range(count))
    return (share for share in shares if share)


def _task(plan: CameraPlan, records: Sequence[ViewRecord]) -> PictureTask:
    numbers = {record.frame for record in records}
    return PictureTask(
        bag=plan.source,
        topics=plan.scan.topics,
        infos=plan.scan.infos,
        parameters=plan.parameters,
        frames=tuple(frame for frame in plan.scan.frames if frame.number in numbers),
        records=tuple(records),
    )
