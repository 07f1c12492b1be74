# SPDX-License-Identifier: Apache-2.0
"""What a study hands out: a table with mean ± standard deviation, and the figures for machines."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stn_perception.runtime.json_file import write_json
from stn_perception.runtime.report_parts import Target, markdown_table


@dataclass(frozen=True)
class Spread:
    """A figure over seeds.

    Attributes:
        values: One per seed.
    """

    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation over the seeds; None for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None


Cell = float | int | str | Spread | None


@dataclass(frozen=True)
class StudyReport:
    """The figures of one `stn study` command.

    Attributes:
        name: The study.
        command: What makes these figures.
        tables: Rows by the table's title; the rows of a table have the same keys.
        targets: What the figures are held to.
        notes: Sentences that belong beside the tables.
        settings: Seeds and whatever else was chosen.
    """

    name: str
    command: str
    tables: Mapping[str, Sequence[Mapping[str, Cell]]]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The tables as Markdown, then targets and notes."""
        parts = [
            f"{title}\n\n{markdown_table(rows, shown)}" for title, rows in self.tables.items()
        ]
        for lines in ([target.sentence(shown) for target in self.targets], self.notes):
            if lines:
                parts.append("\n".join(f"- {line}" for line in lines))
        return "\n\n".join(parts)

    def content(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "study": self.name,
            "command": self.command,
            "settings": dict(self.settings),
            "tables": {
                title: [{key: _plain(cell) for key, cell in row.items()} for row in rows]
                for title, rows in self.tables.items()
            },
            "targets": [target.content() for target in self.targets],
            "notes": list(self.notes),
        }


def publish(report: StudyReport, json_path: Path | None) -> int:
    """Print the report, write the JSON whole or not at all, and return exit status 0."""
    print(report.text())
    write_json(json_path, report.content())
    return 0


def shown(cell: Cell) -> str:
    """A figure with two or three digits that count; a dash for none."""
    if cell is None:
        return "–"
    if isinstance(cell, Spread):
        if cell.deviation is None:
            return f"{shown(cell.mean)} (one seed)"
        return f"{shown(cell.mean)} ± {_digits(cell.deviation, 2)}"
    return _digits(cell, 3) if isinstance(cell, float) else str(cell)


def _digits(value: float, count: int) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, count - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(places, 5)}f}"


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Spread):
        return {"mean": cell.mean, "sd": cell.deviation, "seeds": list(cell.values)}
    return cell
