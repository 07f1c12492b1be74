# SPDX-License-Identifier: Apache-2.0
"""What reports of measurements share: figures held to limits, and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

Cell = TypeVar("Cell")


@dataclass(frozen=True)
class Target:
    """A limit that a figure is held to.

    Attributes:
        name: What is held, in words.
        value: The measured figure.
        limit: What it should reach.
        at_least: Whether larger is better.
    """

    name: str
    value: float
    limit: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure reaches the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def sentence(self, shown: Callable[[float], str]) -> str:
        """One line: the figure, the limit, and by how much it is missed if it is.

        Args:
            shown: How a figure is written.
        """
        sign = "≥" if self.at_least else "≤"
        missed = f"NOT met by {shown(abs(self.value - self.limit))}"
        verdict = "met" if self.is_met else missed
        return f"{self.name}: {shown(self.value)} (target {sign} {shown(self.limit)}), {verdict}"

    def content(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "name": self.name,
            "value": self.value,
            "limit": self.limit,
            "at_least": self.at_least,
            "met": self.is_met,
        }


def markdown_table(rows: Sequence[Mapping[str, Cell]], shown: Callable[[Cell], str]) -> str:
    """Rows with the same keys as a Markdown table.

    Args:
        rows: At least one.
        shown: How a cell is written.
    """
    keys = list(rows[0])
    lines = [keys, ["---"] * len(keys), *([shown(row[key]) for key in keys] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
