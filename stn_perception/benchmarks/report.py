# SPDX-License-Identifier: Apache-2.0
"""What a benchmark hands out: a table to read, and the same figures for machines."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stn_perception.runtime.json_file import write_json
from stn_perception.runtime.report_parts import Target, markdown_table

Cell = float | int | str | None
_PACKAGES = ("torch", "opencv-python-headless", "numpy", "kornia", "triton", "ros-rclpy")
_CPU_FILE = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class BenchReport:
    """The figures of one `stn bench` command.

    Attributes:
        name: The benchmark.
        command: What makes these figures.
        rows: One mapping a line of the table, all with the same keys, ratios first.
        targets: What the figures are held to.
        notes: Sentences that belong beside the table.
        settings: What was chosen for the run, such as rounds and threads.
    """

    name: str
    command: str
    rows: Sequence[Mapping[str, Cell]]
    targets: Sequence[Target] = ()
    notes: Sequence[str] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The table as Markdown, then targets and notes."""
        lines = [markdown_table(self.rows, shown)] if self.rows else []
        if self.targets:
            lines += ["", *(f"- {target.sentence(shown)}" for target in self.targets)]
        if self.notes:
            lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines)

    def content(self) -> dict[str, Any]:
        """The same for machines, with the machine and the versions that it ran on."""
        return {
            "benchmark": self.name,
            "command": self.command,
            "machine": machine(),
            "settings": dict(self.settings),
            "rows": [dict(row) for row in self.rows],
            "targets": [target.content() for target in self.targets],
            "notes": list(self.notes),
        }


def publish(report: BenchReport, json_path: Path | None) -> int:
    """Print the report, write the JSON completely or not at all, and return exit status 0.

    A missed target is a result, not a failure: the status says that the benchmark ran.
    """
    print(report.text())
    write_json(json_path, report.content())
    return 0


def machine() -> dict[str, Any]:
    """What a figure depends on: processor, cores, versions."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def shown(cell: Cell) -> str:
    """A figure with three digits that count; a dash for none."""
    if cell is None:
        return "–"
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 100 else f"{cell:.3g}"
    return str(cell)


def number(row: Mapping[str, Cell], key: str) -> float:
    """A cell that holds a number."""
    value = row[key]
    assert isinstance(value, int | float)
    return float(value)


def _processor() -> str:
    if not _CPU_FILE.exists():
        return platform.processor() or platform.machine()
    names = [
        line.split(":", 1)[1].strip()
        for line in _CPU_FILE.read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
