# SPDX-License-Identifier: Apache-2.0
"""What was lost of a recording, counted and said."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from stn_perception.bags.wording import plural


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

    def lose_parts(self, name: str, chunks: int, messages: int, octets: int, of_tail: int) -> None:
        """Count and say what damaged parts of a file cost.

        Args:
            name: The file's.
            chunks: Damaged chunks.
            messages: Messages that could not be read.
            octets: Bytes in damaged or cut off parts.
            of_tail: Messages that could be read of a chunk that the file ends within.
        """
        self.lose(f"{name} has {plural(chunks, 'damaged chunk')}.", damaged_chunks=chunks)
        self.lose(
            f"{plural(messages, 'message')} of {name} could not be read.", lost_messages=messages
        )
        self.lose(
            f"{name} has {plural(octets, 'byte')} in damaged or cut off parts.",
            unreadable_bytes=octets,
        )
        if of_tail:
            saved = plural(of_tail, "message")
            self.sentences.append(f"{name} ends within a chunk, {saved} of it could be read.")
