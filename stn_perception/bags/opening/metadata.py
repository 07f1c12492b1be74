# SPDX-License-Identifier: Apache-2.0
"""The metadata of a rosbag2 folder: what it says of its files, and new ones for a copy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path, PurePosixPath
from typing import Any

from rosbags.rosbag2 import Reader
from rosbags.rosbag2.metadata import dump_qos_v8
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stn_perception.bags.opening.fingerprint import METADATA

_INFORMATION = "rosbag2_bagfile_information"
# The newest version that keeps QoS as a string, as the writer of bags does.
_VERSION = 8
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True)
class Metadata:
    """What a folder says of itself.

    Attributes:
        files: Names of the storage files, in their order.
        message_count: Of all of them.
        compression_mode: ``file``, ``message``, or empty.
    """

    files: tuple[str, ...]
    message_count: int
    compression_mode: str


def read_metadata(folder: Path) -> Metadata | None:
    """Return what the folder's metadata say; None where there are none that can be read."""
    path = folder / METADATA
    try:
        information = YAML(typ="safe").load(path.read_text(encoding="utf-8"))[_INFORMATION]
        return Metadata(
            tuple(PurePosixPath(name).name for name in information["relative_file_paths"]),
            int(information["message_count"]),
            str(information.get("compression_mode") or "").lower().replace("none", ""),
        )
    except (OSError, YAMLError, KeyError, TypeError, ValueError, AttributeError):
        return None


def write_metadata(folder: Path, files: Sequence[Path]) -> None:
    """Write metadata of sound storage files of one kind, told from the files themselves.

    Args:
        folder: Where the files lie.
        files: In their order.
    """
    topics: dict[tuple[Any, ...], dict[str, Any]] = {}
    parts, mode = [], ""
    for file in files:
        with Reader(file) as reader:
            parts.append(_part(file.name, reader))
            mode = mode or _message_mode(reader)
            for connection in reader.connections:
                _add_topic(topics, connection)
    start = min(part["starting_time"]["nanoseconds_since_epoch"] for part in parts)
    end = max(
        part["starting_time"]["nanoseconds_since_epoch"] + part["duration"]["nanoseconds"]
        for part in parts
    )
    information = {
        "version": _VERSION,
        "storage_identifier": "mcap" if files[0].suffix == ".mcap" else "sqlite3",
        "relative_file_paths": [file.name for file in files],
        "duration": {"nanoseconds": end - start},
        "starting_time": {"nanoseconds_since_epoch": start},
        "message_count": sum(part["message_count"] for part in parts),
        "topics_with_message_count": list(topics.values()),
        "compression_format": "zstd" if mode else "",
        "compression_mode": mode,
        "files": parts,
        "custom_data": None,
        "ros_distro": "",
    }
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    text = StringIO()
    yaml.dump({_INFORMATION: information}, text)
    (folder / METADATA).write_text(text.getvalue(), encoding="utf-8")


def _part(name: str, reader: Reader) -> dict[str, Any]:
    return {
        "path": name,
        "starting_time": {"nanoseconds_since_epoch": reader.start_time},
        "duration": {"nanoseconds": max(0, reader.end_time - 1 - reader.start_time)},
        "message_count": reader.message_count,
    }


def _add_topic(topics: dict[tuple[Any, ...], dict[str, Any]], connection: Any) -> None:
    """Add a topic, or the messages of another file to one that is there."""
    qos = dump_qos_v8(connection.ext.offered_qos_profiles)
    key = (connection.topic, connection.msgtype, connection.digest, qos)
    if key in topics:
        topics[key]["message_count"] += connection.msgcount
        return
    topics[key] = {
        "topic_metadata": {
            "name": connection.topic,
            "type": connection.msgtype,
            "serialization_format": "cdr",
            "offered_qos_profiles": qos,
            "type_description_hash": connection.digest,
        },
        "message_count": connection.msgcount,
    }


def _message_mode(reader: Reader) -> str:
    """Tell from the first message whether each is compressed by itself."""
    for _, _, data in reader.messages(reader.connections):
        return "message" if bytes(data[:4]) == _ZSTD_MAGIC else ""
    return ""
