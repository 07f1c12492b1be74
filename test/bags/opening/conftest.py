# SPDX-License-Identifier: Apache-2.0
"""Recordings to be damaged, and what they held."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from stn_perception.bags import BagReader, BagWriter, RosbagsFactory
from stn_perception.bags.opening import OpenedBag, opened

FACTORY = RosbagsFactory()
Seen = list[tuple[str, int, bytes]]


class Bags:
    """Writes recordings of words into a folder and reads them back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cache = folder / "cache"

    def write(
        self,
        name: str = "bag",
        storage: str = "mcap",
        numbers: Sequence[int] = range(60),
        size: int = 100_000,
        compress: bool = False,
    ) -> Path:
        """Write a message at each of the times; their random bytes do not compress."""
        random = np.random.default_rng(5)
        path = self.folder / name
        with BagWriter(path, storage=storage, compress=compress) as bag:
            bag.add_topic("/even", "std_msgs/msg/String")
            bag.add_topic("/odd", "std_msgs/msg/String")
            for number in numbers:
                letters = bytes(random.integers(65, 91, size, dtype=np.uint8)).decode()
                text = FACTORY.make("std_msgs/msg/String", data=f"{number}:{letters}")
                bag.write_message(("/even", "/odd")[number % 2], number, text)
        return path

    def open(self, uri: Path | str, cache: Path | None = None) -> OpenedBag:
        return opened(str(uri), cache or self.cache)

    def read(self, path: Path) -> Seen:
        with BagReader(path) as reader:
            return [(m.topic, m.time_ns, m.data) for m in reader.messages()]

    def storage(self, bag: Path) -> Path:
        (file,) = (f for f in bag.iterdir() if f.suffix in (".mcap", ".db3"))
        return file


@pytest.fixture
def bags(tmp_path) -> Bags:
    return Bags(tmp_path)
