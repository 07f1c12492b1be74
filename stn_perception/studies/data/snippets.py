# SPDX-License-Identifier: Apache-2.0
"""Snippets of film reviews with the mean rating of twenty people, from a public package.

Hutto and Gilbert 2014, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social
Media Text": ratings from -4, extremely negative, to 4, extremely positive.
"""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError

LARGEST_RATING = 4.0
_ARCHIVE = "hutto_ICWSM_2014.tar.gz"
_MEMBER = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt"
_PACKAGE = PublicPackage(
    kind="sdist",
    name="vaderSentiment",
    version="3.3.2",
    folder="vaderSentiment-3.3.2/additional_resources",
    checksums={_ARCHIVE: "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa"},
)


@dataclass(frozen=True, eq=False)
class Snippets:
    """Sentences about films and how people found them.

    Attributes:
        texts: N sentences, 10,605 as published.
        ratings: float64 N, -4 to 4.
    """

    texts: tuple[str, ...]
    ratings: NDArray[np.float64]


def load_snippets(cache: Path | None = None) -> Snippets:
    """Load every snippet; they are fetched on first use.

    Args:
        cache: Folder to keep them in; the user's own when None.

    Raises:
        StudyError: They cannot be fetched, or are not what their checksum says.
    """
    archive = package_files(_PACKAGE, cache) / _ARCHIVE
    with tarfile.open(archive) as tar:
        member = tar.extractfile(_MEMBER)
        if member is None:
            raise StudyError(f"{_ARCHIVE} has no file {_MEMBER}.")
        lines = member.read().decode("latin-1").splitlines()
    columns = [line.split("\t") for line in lines]
    return Snippets(
        tuple(column[2] for column in columns),
        np.array([float(column[1]) for column in columns]),
    )
