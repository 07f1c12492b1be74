# SPDX-License-Identifier: Apache-2.0
"""What a study wants from a package index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["debian", "npm", "wheel", "sdist"]


@dataclass(frozen=True)
class PublicPackage:
    """A package, and the files of it that a study uses.

    Attributes:
        kind: Which index has it and how it is packed.
        name: As the index calls it.
        version: Exact; None takes what the index gives, as a Debian release has one only.
        folder: Folder inside the package that the files lie in.
        checksums: SHA-256 in hexadecimal digits of every file, by its path inside `folder`.
    """

    kind: Kind
    name: str
    version: str | None
    folder: str
    checksums: Mapping[str, str]
