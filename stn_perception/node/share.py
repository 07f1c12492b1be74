# SPDX-License-Identifier: Apache-2.0
"""Where the package's shared files (config, launch) lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = "stn_perception"


def share_folders() -> list[Path]:
    """Places to look in: the source tree, ament's prefixes, Python's own prefix."""
    folders = [Path(__file__).resolve().parents[2]]
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    folders += [Path(prefix) / "share" / _PACKAGE for prefix in prefixes if prefix]
    folders.append(Path(sys.prefix) / "share" / _PACKAGE)
    return folders


def share_file(relative: str) -> Path:
    """Path of a file that comes with the package, e.g. ``config/canonicalizer.yaml``.

    Raises:
        FileNotFoundError: It lies in none of the places.
    """
    folders = share_folders()
    for folder in folders:
        if (folder / relative).is_file():
            return folder / relative
    looked = ", ".join(str(folder) for folder in folders)
    raise FileNotFoundError(f"The package's file '{relative}' is missing, looked in {looked}.")
