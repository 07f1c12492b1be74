# SPDX-License-Identifier: Apache-2.0
"""What was lost of a recording, counted and said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Losses:
    """Grows while a recording is salvaged.

    Attributes:
        counts: By reason, such as ``damaged_chunks`` or ``unreadable_bytes``.
        sentences: One for each thing that was found.
    """

    counts: Counter[str] = field(default_factory=Counter)
    sentences: list[str] = field(default_factory=list)

    def lose(self, sentence: str, **counts: int) -> None:
        """Count a loss, and say it in a sentence unless nothing was lost."""
        if any(counts.values()):
            self.counts.update({reason: count for reason, count in counts.items() if count})
            self.sentences.append(sentence)


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 message``, ``2 messages``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
