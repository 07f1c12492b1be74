# SPDX-License-Identifier: Apache-2.0
"""Package files to folders: Debian packages, gzipped tars and wheels."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

from stn_perception.studies.errors import StudyError


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a package file by its ending.

    Args:
        archive: A .deb, .tgz, .tar.gz, .whl or .zip.
        folder: Made; nothing is written outside of it.

    Raises:
        StudyError: Another ending, a damaged file, or no dpkg-deb for a .deb.
    """
    folder.mkdir(parents=True)
    try:
        if archive.name.endswith(".deb"):
            _unpack_debian(archive, folder)
        elif archive.name.endswith((".tgz", ".tar.gz")):
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
        elif archive.name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(archive) as wheel:
                wheel.extractall(folder)
        else:
            raise StudyError(
                f"{archive.name} is no package, expected .deb, .tgz, .tar.gz, .whl or .zip."
            )
    except (tarfile.TarError, zipfile.BadZipFile, EOFError) as error:
        raise StudyError(f"the package file {archive.name} is damaged: {error}.") from error


def _unpack_debian(archive: Path, folder: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        raise StudyError(f"{archive.name} cannot be unpacked: there is no dpkg-deb.")
    done = subprocess.run(
        ["dpkg-deb", "-x", str(archive), str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise StudyError(f"the package file {archive.name} is damaged: {words[0]}.")
