# SPDX-License-Identifier: Apache-2.0
"""Files that say where objects truly are: by stamp for recordings, by name for pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stn_perception.geometry.arrays import as_corners
from stn_perception.training.explain.cases import Corners, ExplainError

Objects = dict[str, Corners]
NAMES = ("truth.json", "labels.json")


@dataclass(frozen=True)
class Truth:
    """True corners by object id, per frame.

    Attributes:
        by_stamp: of ``frames`` (each ``stamp_ns`` and ``objects``: id to four corners), for bags.
        by_picture: of ``pictures`` (file name to id to four corners), for folders.
    """

    by_stamp: dict[int, Objects] = field(default_factory=dict)
    by_picture: dict[str, Objects] = field(default_factory=dict)


def read_truth(path: Path) -> Truth:
    """Read ``truth.json`` or ``labels.json``, or a file laid out like one of them.

    Raises:
        ExplainError: the file is missing or laid out otherwise.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExplainError(f"there is no truth file {path}") from None
    except (OSError, ValueError) as error:
        raise ExplainError(f"the truth file {path} is not readable JSON") from error
    try:
        if "frames" in content:
            return Truth(
                by_stamp={int(f["stamp_ns"]): _objects(f["objects"]) for f in content["frames"]}
            )
        return Truth(by_picture={k: _objects(v) for k, v in content["pictures"].items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ExplainError(
            f"the truth file {path} holds neither 'frames' with stamp_ns and objects nor "
            "'pictures' with four corners by object id"
        ) from error


def truth_beside(folder: Path) -> Truth:
    """Read the truth file in a folder; empty without one. Raises ExplainError."""
    for name in NAMES:
        if (folder / name).is_file():
            return read_truth(folder / name)
    return Truth()


def _objects(content: dict[str, Any]) -> Objects:
    return {str(name): as_corners(quad) for name, quad in content.items()}
