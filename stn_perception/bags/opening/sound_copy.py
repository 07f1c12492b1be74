# SPDX-License-Identifier: Apache-2.0
"""Make a recording that cannot be read as it lies into one that can, as far as it goes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import zstandard

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.checking import fault_of
from stn_perception.bags.opening.fingerprint import COMPRESSED_SUFFIX, JOURNAL_SUFFIX
from stn_perception.bags.opening.losses import Losses
from stn_perception.bags.opening.mcap_salvage import salvage_mcap
from stn_perception.bags.opening.metadata import Metadata, read_metadata, write_metadata
from stn_perception.bags.opening.ros1_salvage import salvage_ros1
from stn_perception.bags.opening.sqlite_salvage import apply_journal, salvage_sqlite
from stn_perception.bags.reader import ROS1_SUFFIX, BagReader
from stn_perception.bags.wording import plural

_SALVAGE: Mapping[str, Callable[[Path, Path, Losses], int]] = {
    ".mcap": salvage_mcap,
    ".db3": salvage_sqlite,
}


def needs_copy(source: Path, files: Sequence[Path]) -> str | None:
    """Return why a recording needs a copy, as far as the names of its files tell.

    Args:
        source: The recording.
        files: Its storage files.
    """
    if any(file.name.endswith(COMPRESSED_SUFFIX) for file in files):
        return f"{source.name} is compressed file by file."
    if any(file.name.endswith(JOURNAL_SUFFIX) for file in files):
        return f"{source.name} was not closed, its last messages lie in the journal."
    return None


def write_sound_copy(
    source: Path, files: Sequence[Path], folder: Path, losses: Losses, fault: str
) -> Path:
    """Write what can be read of a recording.

    Files that are sound are linked to instead of copied.

    Args:
        source: The recording as the user gave it.
        files: Its storage files.
        folder: Where the copy is made.
        losses: Grows by what cannot be read.
        fault: Why it is not read as it is.

    Returns:
        The copy, a folder or a file in ``folder``.

    Raises:
        BagError: Nothing can be read.
    """
    copy = folder / (source.stem if source.is_file() else source.name or "bag")
    copy.mkdir()
    metadata = read_metadata(source) if source.is_dir() else None
    chosen = _listed(files, metadata, losses) if metadata else _natural(files)
    kinds = sorted({_plain_name(file.name).suffix for file in chosen})
    if len(kinds) > 1:
        raise BagError(f"{source} holds files of several kinds ({', '.join(kinds)}), open one.")
    said = len(losses.sentences)
    if kinds == [ROS1_SUFFIX]:
        made = _ros1_copy(chosen, copy, losses)
    else:
        parts = [part for file in chosen if (part := _sound_part(file, copy, losses))]
        made = copy if parts else None
        if parts:
            _describe(copy, parts, source)
    if made is None or not _count(made):
        if not losses.sentences:
            raise BagError(f"the bag {source} holds no messages.")
        raise BagError(f"nothing of the bag {source} can be read: {losses.sentences[0]}")
    _compare(metadata, _count(made), source, losses)
    if len(losses.sentences) == said and not losses.counts:
        losses.sentences.append(_why(source, metadata, fault))
    return made


def _describe(copy: Path, parts: Sequence[Path], source: Path) -> None:
    """Write the metadata of a copy.

    Raises:
        BagError: Its files do not open.
    """
    try:
        write_metadata(copy, parts)
    except Exception as error:  # damaged definitions fail in any of the decoders beneath
        reason = (str(error).splitlines() or [""])[0].rstrip(".") or type(error).__name__
        raise BagError(f"what was salvaged of {source} cannot be read: {reason}.") from error


def _listed(files: Sequence[Path], metadata: Metadata, losses: Losses) -> list[Path]:
    """The files that the metadata name, without those that are missing."""
    there = {file.name: file for file in files}
    missing = [name for name in metadata.files if name not in there]
    losses.lose(
        f"the bag lacks {plural(len(missing), 'file')} of its own: {', '.join(missing)}.",
        missing_files=len(missing),
    )
    return [there[name] for name in metadata.files if name in there]


def _natural(files: Sequence[Path]) -> list[Path]:
    """The files in the order of the numbers in their names."""
    storages = [file for file in files if not file.name.endswith(JOURNAL_SUFFIX)]
    return sorted(storages, key=lambda file: _number_key(file.name))


def _number_key(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _plain_name(name: str) -> Path:
    return Path(name.removesuffix(COMPRESSED_SUFFIX))


def _sound_part(file: Path, copy: Path, losses: Losses) -> Path | None:
    """One storage file in the copy: a link to a sound one, else what can be read of it."""
    part = copy / _plain_name(file.name)
    if _applied_journal(file, part, losses):
        return part
    packed = file.name.endswith(COMPRESSED_SUFFIX)
    found = _unpacked(file, copy.parent / part.name, losses) if packed else file
    if fault_of(found) is None:
        if packed:
            found.rename(part)
        else:
            part.symlink_to(found.resolve())
        return part
    count = _SALVAGE[part.suffix](found, part, losses)
    if packed:
        found.unlink()
    if not count:
        part.unlink(missing_ok=True)
    return part if count else None


def _applied_journal(file: Path, part: Path, losses: Losses) -> bool:
    """Copy a database together with its journal, where it has one; tell whether that is sound."""
    journal = file.with_name(file.name + JOURNAL_SUFFIX)
    if file.suffix != ".db3" or not journal.is_file() or not journal.stat().st_size:
        return False
    with suppress(sqlite3.Error):  # seen in what is there after it
        apply_journal(file, part)
    if part.exists() and fault_of(part) is None:
        losses.sentences.append(
            f"{file.name} was not closed, its last messages were taken from its journal."
        )
        return True
    for leftover in part.parent.glob(part.name + "*"):
        leftover.unlink()
    losses.lose(
        f"the journal {journal.name} cannot be read.", unreadable_bytes=journal.stat().st_size
    )
    return False


def _unpacked(file: Path, target: Path, losses: Losses) -> Path:
    """Unpack a file as far as it goes, and return the target."""
    with file.open("rb") as packed, target.open("wb") as out:
        reader = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)
        try:
            while block := reader.read(1 << 20):
                out.write(block)
        except zstandard.ZstdError:
            left = file.stat().st_size - packed.tell()
            losses.lose(f"{file.name} does not unpack to its end.", damaged_files=1)
            losses.lose(f"{plural(left, 'byte')} of it were not reached.", unreadable_bytes=left)
    return target


def _ros1_copy(files: Sequence[Path], copy: Path, losses: Losses) -> Path | None:
    """One ROS 1 bag of one or several; a link where it is one that is sound."""
    target = copy / f"{files[0].stem}{ROS1_SUFFIX}"
    if len(files) == 1 and fault_of(files[0]) is None:
        target.symlink_to(files[0].resolve())
        return target
    return target if salvage_ros1(files, target, losses) else None


def _count(path: Path) -> int:
    """Messages of a copy, all of which can be read.

    Raises:
        BagError: The copy is not sound.
    """
    fault = fault_of(path)
    if fault is not None:
        raise BagError(f"what was salvaged cannot be read: {fault}")
    with BagReader(path) as reader:
        return reader.message_count


def _compare(metadata: Metadata | None, count: int, source: Path, losses: Losses) -> None:
    """Count the messages that the metadata know of and the copy lacks, unless counted already."""
    lost = metadata.message_count - count if metadata else 0
    known = losses.counts["lost_messages"]
    if lost > known:
        losses.lose(
            f"{plural(lost, 'message')} that the metadata of {source.name} count could not be "
            "read.",
            lost_messages=lost - known,
        )


def _why(source: Path, metadata: Metadata | None, fault: str) -> str:
    """What is said where nothing is known to be lost."""
    if source.is_dir() and metadata is None:
        return f"{source.name} has no metadata.yaml that can be read, its files were read by name."
    return f"a copy with every message of {source.name} is read in its place: {fault}"
