# SPDX-License-Identifier: Apache-2.0
"""Times of the whole Pipeline and of its eager peer, and the targets that they are held to."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch

from stn_perception.benchmarks.peers.eager_pipeline import EagerPipeline
from stn_perception.benchmarks.pipeline.cost_line import cost_line
from stn_perception.benchmarks.pipeline.scenes import STAGES, BenchSettings, Ours, requests
from stn_perception.benchmarks.report import BenchReport, Cell, number
from stn_perception.benchmarks.threads import use_threads
from stn_perception.benchmarks.timing import interleaved, ratio
from stn_perception.geometry import AxisAlignedBox, OrientedBox
from stn_perception.geometry.quads import quad_sides_px, view_quad
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.report_parts import Target
from stn_perception.runtime.requests import FrameRequest

_TARGET_OBJECTS = 16
_LARGEST_SHARE = 0.25
_TIMES_OF_EAGER = 3.0
# Without antialiasing and the boxes' evidence the peer's corners lie elsewhere, but not far.
_SAME_CORNERS = 0.1

Row = dict[str, Cell]


def measure(sizes: Sequence[str], objects: Sequence[int], settings: BenchSettings) -> BenchReport:
    """Time the Pipeline and the eager peer on frames of some sizes with some objects.

    Args:
        sizes: Names of frame sizes.
        objects: Numbers of objects in a frame.
        settings: How the run is made.

    Raises:
        ValueError: A size or a number that is not offered, or the peer sees other views.
    """
    cases = {
        (size, count): requests(size, count, settings.is_calibrated)
        for size in sizes
        for count in objects
    }
    threads = use_threads(settings.threads)
    archive = ModelArchive.open(settings.model, device="cpu")
    eager = EagerPipeline(archive)
    rows: list[Row] = []
    for (size, count), cycle in cases.items():
        rows.append(_row(f"{size}-{count}", count, cycle, archive, eager, settings))
    return BenchReport(
        name="pipeline",
        command="stn bench pipeline",
        rows=rows,
        targets=_targets(rows),
        notes=[
            "Eager / ours: the peer's time over ours, median of the rounds; above 1 we are "
            "faster. The rest is everything that is not the network, which is the same for both: "
            "their times in it bound the first ratio.",
            "The peer converts whole frames to floats and takes crops and views by kornia's "
            "warp_perspective; it neither antialiases nor tracks nor finds poses.",
            *_cost_notes(rows, sizes, objects),
        ],
        settings=settings.told(archive, threads),
    )


def _row(
    name: str,
    count: int,
    cycle: Sequence[FrameRequest],
    archive: ModelArchive,
    eager: EagerPipeline,
    settings: BenchSettings,
) -> Row:
    ours = Ours(archive, cycle, settings.backend)
    theirs = _Eager(eager, cycle)
    _check_same_job(name, ours, theirs)
    times = interleaved({"ours": ours, "eager": theirs}, settings.rounds)
    stages = ours.stage_ms()
    rest_ms = sum(value for stage, value in stages.items() if stage != "network")
    eager_rest_ms = 1e3 * float(np.median(theirs.rests_s))
    return {
        "case": name,
        "objects": count,
        "eager / ours": ratio(times["eager"], times["ours"]).median,
        "eager rest / our rest": eager_rest_ms / rest_ms,
        "rest / network": ours.rest_over_network(),
        "ours ms": times["ours"].median_ms,
        "eager ms": times["eager"].median_ms,
        **{f"{stage} ms": value for stage, value in stages.items()},
    }


class _Eager:
    """The peer that is given one frame after the other.

    Args:
        eager: The peer.
        cycle: The frames, round and round.
    """

    def __init__(self, eager: EagerPipeline, cycle: Sequence[FrameRequest]) -> None:
        self._eager, self._cycle = eager, cycle
        self._boxes = [
            torch.tensor([[b.center_x, b.center_y, b.width, b.height] for b in _boxes(request)])
            for request in cycle
        ]
        self._number = -1
        self.rests_s: list[float] = []

    def __call__(self) -> np.ndarray:
        """``frame_from_view`` of the next frame's views."""
        self._number = (self._number + 1) % len(self._cycle)
        started = time.perf_counter()
        pixels = self._cycle[self._number].frame.pixels
        found = self._eager(pixels, self._boxes[self._number])
        self.rests_s.append(time.perf_counter() - started - self._eager.network_s)
        return np.asarray(found.frame_from_view.numpy())


def _boxes(request: FrameRequest) -> list[AxisAlignedBox | OrientedBox]:
    return [region.box for region in request.regions if isinstance(region, Region)]


def _check_same_job(name: str, ours: Ours, theirs: _Eager) -> None:
    result = ours()
    transforms = theirs()
    if len(result.objects) != len(transforms) or not result.objects:
        raise ValueError(
            f"{name}: we found {len(result.objects)} views and the peer {len(transforms)}, "
            "expected the same number above 0"
        )
    first = result.objects[0]
    size = (first.view_width, first.view_height)
    quads = view_quad(np.array([one.frame_from_view for one in result.objects]), *size)
    other = view_quad(transforms.astype(np.float64), *size)
    # Tracks begin upright: compare with the turn of the peer's view that lies nearest.
    off = np.min(
        [np.linalg.norm(np.roll(other, turn, 1) - quads, axis=2).mean(1) for turn in range(4)], 0
    )
    share = float(np.median(off / quad_sides_px(quads)))
    if not share < _SAME_CORNERS:
        raise ValueError(
            f"{name}: the peer's corners lie {share:.0%} of a side away, expected the same views"
        )


def _targets(rows: Sequence[Row]) -> list[Target]:
    targets = []
    for row in rows:
        if row["objects"] == _TARGET_OBJECTS:
            share, name = number(row, "rest / network"), f"{row['case']}: rest / network"
            targets.append(Target(name, share, _LARGEST_SHARE, at_least=False))
        times, name = number(row, "eager / ours"), f"{row['case']}: eager / ours"
        targets.append(Target(name, times, _TIMES_OF_EAGER, at_least=True))
    return targets


def _cost_notes(rows: Sequence[Row], sizes: Sequence[str], objects: Sequence[int]) -> list[str]:
    if len(set(objects)) < 2:
        return []
    rest = [f"{stage} ms" for stage in (*STAGES, "other") if stage != "network"]
    titles = {"all": ["ours ms"], "network": ["network ms"], "rest": rest, "eager": ["eager ms"]}
    notes = []
    for size in sizes:
        own = [row for row in rows if str(row["case"]).rsplit("-", 1)[0] == size]
        units = [number(row, "objects") for row in own]
        parts = []
        for title, keys in titles.items():
            line = cost_line(units, [sum(number(row, key) for key in keys) for row in own])
            parts.append(f"{title} {line.fixed_ms:.2f} + {line.marginal_ms:.3f}")
        notes.append(f"{size}, ms fixed + ms for each object: {', '.join(parts)}.")
    return notes
