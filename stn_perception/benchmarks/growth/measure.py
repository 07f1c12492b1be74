# SPDX-License-Identifier: Apache-2.0
"""Times of the Pipeline over the number of objects and the size of the frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stn_perception.benchmarks.pipeline.cost_line import CostLine, cost_line
from stn_perception.benchmarks.pipeline.scenes import (
    MOST_OBJECTS,
    SIZES,
    BenchSettings,
    Ours,
    requests,
)
from stn_perception.benchmarks.report import BenchReport, Cell, number
from stn_perception.benchmarks.threads import use_threads
from stn_perception.benchmarks.timing import interleaved
from stn_perception.runtime.archive import ModelArchive

OBJECTS, PIXELS = "objects", "megapixels"
PARTS = ("all", "network", "rest")
_OBJECTS_OVER_PIXELS = 4


def measure(most: int, settings: BenchSettings) -> BenchReport:
    """Time frames of VGA with 1 to ``most`` objects, and of every size with 4.

    Args:
        most: The most objects, a power of two up to 256.
        settings: How the run is made.

    Raises:
        ValueError: ``most`` is not among the numbers offered.
    """
    counts = [1 << power for power in range(MOST_OBJECTS.bit_length())]
    if most not in counts[1:]:
        raise ValueError(f"most is {most}, expected one of {', '.join(map(str, counts[1:]))}")
    threads = use_threads(settings.threads)
    archive = ModelArchive.open(settings.model, device="cpu")
    over_objects = [("vga", count) for count in counts if count <= most]
    over_pixels = [(size, _OBJECTS_OVER_PIXELS) for size in SIZES]
    rows = [
        *_rows(OBJECTS, over_objects, archive, settings),
        *_rows(PIXELS, over_pixels, archive, settings),
    ]
    return BenchReport(
        name="growth",
        command="stn bench growth",
        rows=rows,
        notes=[_note(rows, OBJECTS, "object"), _note(rows, PIXELS, "megapixel of the frame")],
        settings=settings.told(archive, threads),
    )


def lines(rows: Sequence[Mapping[str, Cell]], over: str) -> dict[str, CostLine]:
    """The fitted line of each part of the cost over objects or pixels."""
    units, costs = points(rows, over)
    return {part: cost_line(units, costs[part]) for part in PARTS}


def points(
    rows: Sequence[Mapping[str, Cell]], over: str
) -> tuple[list[float], dict[str, list[float]]]:
    """Units, and milliseconds of each part of the cost at them."""
    own = [row for row in rows if row["over"] == over]
    costs = {part: [number(row, f"{part} ms") for row in own] for part in PARTS}
    return [number(row, over) for row in own], costs


def _rows(
    over: str,
    cases: Sequence[tuple[str, int]],
    archive: ModelArchive,
    settings: BenchSettings,
) -> list[dict[str, Cell]]:
    everyone = {
        f"{size}-{count}": Ours(
            archive, requests(size, count, settings.is_calibrated), settings.backend
        )
        for size, count in cases
    }
    interleaved(everyone, settings.rounds)
    rows: list[dict[str, Cell]] = []
    for (size, count), (name, ours) in zip(cases, everyone.items(), strict=True):
        width, height = SIZES[size]
        stages = ours.stage_ms()
        rows.append(
            {
                "over": over,
                "case": name,
                OBJECTS: count,
                PIXELS: width * height / 1e6,
                "rest / network": ours.rest_over_network(),
                "all ms": ours.total_ms(),
                "network ms": stages.pop("network"),
                "rest ms": sum(stages.values()),
            }
        )
    return rows


def _note(rows: Sequence[Mapping[str, Cell]], over: str, unit: str) -> str:
    parts = [
        f"{part} {line.fixed_ms:.2f} + {line.marginal_ms:.3f}"
        for part, line in lines(rows, over).items()
    ]
    return f"Over {over}, ms fixed + ms for each {unit}: {', '.join(parts)}."
