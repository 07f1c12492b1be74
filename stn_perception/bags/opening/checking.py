# SPDX-License-Identifier: Apache-2.0
"""Whether a recording is sound, found out by reading all of it once."""

from __future__ import annotations

from pathlib import Path

from stn_perception.bags.errors import BagError
from stn_perception.bags.reader import BagReader


def fault_of(path: Path) -> str | None:
    """Return why a recording is not to be read as it is; None where it is sound.

    Args:
        path: A bag folder or a storage file.

    Returns:
        The reason in a sentence: it does not open, a message of it does not read, it has no
        index, or it holds fewer messages than it says.
    """
    try:
        with BagReader(path) as reader:
            if not reader.has_index:
                return f"the bag {path} has no index."
            count = sum(1 for _ in reader.messages())
            if count != reader.message_count:
                return (
                    f"the bag {path} says it holds {reader.message_count} messages, not {count}."
                )
    except BagError as error:
        return str(error)
    return None
