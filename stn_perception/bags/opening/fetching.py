# SPDX-License-Identifier: Apache-2.0
"""Bring a recording from wherever fsspec reaches to the local disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import fsspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.cache_folder import cached_entry
from stn_perception.bags.opening.fingerprint import METADATA, names_storage

# What tells one version of a remote file from another, as the file systems call it.
_VERSION_KEYS = (
    "size",
    "ETag",
    "etag",
    "LastModified",
    "Last-Modified",
    "mtime",
    "created",
    "CRC",
)


def local_path(uri: str, cache: Path) -> Path:
    """Return where a recording lies on the local disk, after fetching it if it is elsewhere.

    It is fetched once for each version that the far side tells apart (by size, time or tag).

    Args:
        uri: A local path, or any URL that fsspec opens, of a file or a folder.
        cache: Folder for what is fetched.

    Raises:
        BagError: It is not there, cannot be reached, or is no recording.
    """
    if "://" not in uri and "::" not in uri:
        return Path(uri).expanduser()
    try:
        system, root = fsspec.core.url_to_fs(uri)
        if "file" in _protocols(system):
            return Path(root)
        files = _files(system, root, uri)
        versions = {name: _version(system, path) for name, path in sorted(files.items())}
        name = _name(root)
        entry = cached_entry(
            cache, name, [uri, versions], lambda folder: _fetch(system, files, folder / name)
        )
    except BagError:
        raise
    except Exception as error:  # every file system has errors of its own
        raise BagError(f"the bag {uri} cannot be fetched: {_reason(error)}.") from error
    found = entry / name
    return found / next(iter(files)) if names_storage(PurePosixPath(_plain(root)).name) else found


def _reason(error: BaseException) -> str:
    """Why it cannot be fetched, in a line without a full stop."""
    if isinstance(error, FileNotFoundError):
        # fsspec says so of all that goes wrong on the web; what did go wrong is the cause.
        cause = error.__cause__
        return "nothing is there" if cause is None else _reason(cause)
    return (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)


def _files(system: Any, root: str, uri: str) -> dict[str, str]:
    """The recording's files: their names and their places in the file system.

    Raises:
        BagError: There is none, or several folders hold some.
    """
    plain = _plain(root)
    if names_storage(PurePosixPath(plain).name):
        return {PurePosixPath(plain).name: root}
    found = _listed(system, root) or _named_by_metadata(system, root)
    storages = [path for path in found if names_storage(PurePosixPath(_plain(path)).name)]
    folders = sorted({_plain(path).rpartition("/")[0] for path in storages})
    if not folders:
        raise BagError(f"there is no bag at {uri}, expected .mcap, .db3 or .bag files.")
    if len(folders) > 1:
        listed = ", ".join(folders)
        raise BagError(f"there are several bags at {uri}, name one of {listed}.")
    here = [path for path in found if _plain(path).rpartition("/")[0] == folders[0]]
    wanted = {PurePosixPath(_plain(path)).name: path for path in here}
    return {name: path for name, path in wanted.items() if names_storage(name) or name == METADATA}


def _listed(system: Any, root: str) -> list[str]:
    """The files in a folder and in the folders of it; none where it cannot be listed."""
    try:
        return sorted(str(path) for path in system.find(root, maxdepth=2))
    except Exception:  # every file system has errors of its own; metadata are asked next
        return []


def _named_by_metadata(system: Any, root: str) -> list[str]:
    """The files that the metadata names, where a folder cannot be listed (many web servers).

    Raises:
        BagError: The metadata cannot be understood.
    """
    base = root.rstrip("/")
    try:
        text = system.cat_file(f"{base}/{METADATA}")
    except FileNotFoundError:
        return []
    try:
        information = YAML(typ="safe").load(text.decode())["rosbag2_bagfile_information"]
        names = [PurePosixPath(path).name for path in information["relative_file_paths"]]
    except (YAMLError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise BagError(f"{base}/{METADATA} does not say which files the bag has.") from error
    return [f"{base}/{METADATA}", *(f"{base}/{name}" for name in names)]


def _version(system: Any, path: str) -> Mapping[str, str]:
    information = system.info(path)
    return {key: str(information[key]) for key in _VERSION_KEYS if key in information}


def _fetch(system: Any, files: Mapping[str, str], folder: Path) -> None:
    folder.mkdir()
    for name, path in files.items():
        system.get_file(path, str(folder / name))
        size = system.info(path).get("size")
        here = (folder / name).stat().st_size
        if size is not None and size != here:
            raise BagError(f"{path} came incomplete, {here} of {size} bytes.")


def _name(root: str) -> str:
    return PurePosixPath(_plain(root).rstrip("/")).name or "bag"


def _plain(path: str) -> str:
    """A path without the query that a web address may carry."""
    return unquote(urlsplit(path).path) if "://" in path else path
