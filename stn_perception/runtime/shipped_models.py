# SPDX-License-Identifier: Apache-2.0
"""Where the models that come with the package lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from stn_perception.runtime.archive_errors import ArchiveError

ARCHIVE_SUFFIXES = (".pt", ".pt2")
_SHARE = Path("share") / "stn_perception" / "models"


def model_folders() -> list[Path]:
    """Folders that hold shipped models: source tree, ament prefixes, Python's own prefix."""
    candidates = [Path(__file__).resolve().parents[2] / "models"]
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            candidates.append(Path(prefix) / _SHARE)
    candidates.append(Path(sys.prefix) / _SHARE)
    return [folder for folder in candidates if folder.is_dir()]


def shipped_models() -> dict[str, Path]:
    """Archives by name: ``models/<name>/<name>.pt`` (or ``.pt2``), the first folder winning."""
    found: dict[str, Path] = {}
    for folder in model_folders():
        for model in sorted(folder.iterdir()):
            for suffix in ARCHIVE_SUFFIXES:
                archive = model / f"{model.name}{suffix}"
                if archive.is_file():
                    found.setdefault(model.name, archive)
    return found


def resolve_model(name_or_path: str | os.PathLike[str]) -> Path:
    """Path of an archive given by its shipped name or by its path.

    A bare word without a suffix is a name, anything else a path (``~`` is expanded).

    Raises:
        ArchiveError: No shipped model has this name. A path is not looked at.
    """
    text = os.fspath(name_or_path)
    if not text:
        raise ArchiveError("The model's name is empty, expected a shipped name or a path.")
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise ArchiveError(f"The model '{text}' lies in the home of an unknown user.") from error
    if len(path.parts) > 1 or path.suffix in ARCHIVE_SUFFIXES or path.is_file():
        return path
    known = shipped_models()
    if text in known:
        return known[text]
    names = ", ".join(sorted(known)) or "none"
    raise ArchiveError(
        f"No model '{text}' comes with the package (known: {names}) and no file has that name."
    )
