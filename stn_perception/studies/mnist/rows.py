# SPDX-License-Identifier: Apache-2.0
"""The rows of the study: every network on every distortion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from stn_perception.studies.digits.distortion import KINDS, Kind

HostKind = Literal["fcn", "cnn"]
FamilyName = Literal["affine", "projective", "tps"]
_HOSTS: tuple[HostKind, ...] = ("fcn", "cnn")
_FAMILIES: tuple[FamilyName | None, ...] = (None, "affine", "projective", "tps")


@dataclass(frozen=True)
class MnistRow:
    """One network on one distortion.

    Attributes:
        host: fcn, two fully connected layers, or cnn.
        family: Of the transformer before it; None without one.
        kind: The distortion.
    """

    host: HostKind
    family: FamilyName | None
    kind: Kind

    @property
    def network(self) -> str:
        """As the table calls it."""
        return self.host if self.family is None else f"st-{self.host}-{self.family}"

    @property
    def name(self) -> str:
        """As `--rows` calls it."""
        return f"{self.network}-{self.kind.lower()}"


ROWS: dict[str, MnistRow] = {
    row.name: row
    for host in _HOSTS
    for family in _FAMILIES
    for kind in KINDS
    for row in [MnistRow(host, family, kind)]
}


def networks_of(rows: Sequence[str]) -> list[str]:
    """Return the networks of rows, each once, in their order."""
    return list(dict.fromkeys(ROWS[row].network for row in rows))
