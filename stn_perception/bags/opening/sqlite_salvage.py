# SPDX-License-Identifier: Apache-2.0
"""Copy what can be read of a rosbag2 sqlite file into a sound one."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from stn_perception.bags.opening.fingerprint import JOURNAL_SUFFIX
from stn_perception.bags.opening.losses import Losses
from stn_perception.bags.opening.mapped import mapped
from stn_perception.bags.opening.sqlite_pages import Row, SqlitePages
from stn_perception.bags.wording import plural

_TYPE_NAME = re.compile(r"\w+/\w+/\w+")
_DEFINITION_ENCODINGS = ("ros2msg", "ros2idl", "unknown")
# Schema 4 of rosbag2_storage_sqlite3.
_TABLES = """
CREATE TABLE schema(schema_version INTEGER PRIMARY KEY, ros_distro TEXT NOT NULL);
CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT NOT NULL, type TEXT NOT NULL,
  serialization_format TEXT NOT NULL, offered_qos_profiles TEXT NOT NULL,
  type_description_hash TEXT NOT NULL);
CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT NOT NULL,
  encoding TEXT NOT NULL, encoded_message_definition TEXT NOT NULL,
  type_description_hash TEXT NOT NULL);
CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL,
  timestamp INTEGER NOT NULL, data BLOB NOT NULL);
"""


def salvage_sqlite(source: Path, target: Path, losses: Losses) -> int:
    """Write every message that can be read into a new file.

    Args:
        source: The damaged file.
        target: The new one.
        losses: Grows by what cannot be read.

    Returns:
        How many messages were written.

    Raises:
        OSError: The target cannot be written.
    """
    with mapped(source, losses) as data:
        if data is None:
            return 0
        with closing(sqlite3.connect(target, isolation_level=None)) as database:
            try:
                pages = SqlitePages(data)
            except ValueError as error:
                losses.lose(f"{source.name} cannot be read: {error}.", unreadable_bytes=len(data))
                return 0
            return _copy(pages, database, source.name, losses)


def _copy(pages: SqlitePages, database: sqlite3.Connection, name: str, losses: Losses) -> int:
    database.executescript(f"PRAGMA journal_mode=OFF; BEGIN; {_TABLES}")
    database.execute("INSERT INTO schema VALUES (4, '')")
    broken = 0
    for row in pages.rows():
        if isinstance(row, Row):
            _insert(database, row)
        else:
            broken += 1
    # What no topic claims is of another table, or belongs to a topic that is lost.
    unnamed = _count(database, "WHERE topic_id NOT IN (SELECT id FROM topics)")
    database.execute("DELETE FROM messages WHERE topic_id NOT IN (SELECT id FROM topics)")
    database.execute("CREATE INDEX timestamp_idx ON messages (timestamp ASC)")
    database.execute("COMMIT")
    gaps = _numbers_left_out(database)
    lost = max(broken, gaps)
    losses.lose(f"{plural(lost, 'message')} of {name} could not be read.", lost_messages=lost)
    losses.lose(
        f"{plural(unnamed, 'message')} of {name} could not be read, as their topic is lost.",
        messages_without_topic=unnamed,
    )
    losses.lose(
        f"{name} is cut off, it lacks {plural(pages.missing_bytes, 'byte')}.",
        missing_bytes=pages.missing_bytes,
    )
    count = _count(database, "")
    if not (lost or unnamed or pages.missing_bytes):
        losses.lose(
            f"{name} is damaged; {plural(count, 'message')} were found in it, whether there were "
            "more cannot be told.",
            damaged_files=1,
        )
    return count


def _numbers_left_out(database: sqlite3.Connection) -> int:
    """How many messages are not there between the first and the last, by their numbers."""
    query = "SELECT coalesce(max(id) - min(id) + 1 - count(*), 0) FROM messages"
    return int(database.execute(query).fetchone()[0])


def _count(database: sqlite3.Connection, where: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM messages {where}").fetchone()[0])


def _insert(database: sqlite3.Connection, row: Row) -> None:
    """Put a row into the table that its columns tell it to be of."""
    columns = row.columns[1:]
    if not row.columns or row.columns[0] is not None:  # a numbered row begins with a null
        return
    if _are(columns, (int, int, bytes)):
        _put(database, "messages", row.number, columns)
    elif _are(columns, (str,) * 4) and columns[1] in _DEFINITION_ENCODINGS:
        _put(database, "message_definitions", row.number, columns)
    elif _are(columns, (str,) * len(columns)) and 3 <= len(columns) <= 5:
        filled = [*columns, "", ""][:5]
        if _TYPE_NAME.fullmatch(str(filled[1])) and filled[2] == "cdr":
            _put(database, "topics", row.number, filled)


def _are(columns: Sequence[object], kinds: Iterable[type]) -> bool:
    return tuple(type(column) for column in columns) == tuple(kinds)


def _put(database: sqlite3.Connection, table: str, number: int, columns: Sequence[object]) -> None:
    marks = ", ".join("?" * (len(columns) + 1))
    database.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", (number, *columns))


def apply_journal(source: Path, target: Path) -> None:
    """Copy a database, and move into the copy what its recorder had left in the journal.

    Raises:
        sqlite3.Error: The journal or the database is damaged.
    """
    shutil.copyfile(source, target)
    journal = target.with_name(target.name + JOURNAL_SUFFIX)
    shutil.copyfile(source.with_name(source.name + JOURNAL_SUFFIX), journal)
    with closing(sqlite3.connect(target)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("PRAGMA journal_mode=DELETE")
