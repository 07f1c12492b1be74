# SPDX-License-Identifier: Apache-2.0
"""Labels, their history and their file: every change is on the disk before it is confirmed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stn_perception.bags.labelling.edits import Step, changed, parse_edit
from stn_perception.bags.labelling.history import History
from stn_perception.bags.labelling.label_file import Kept, label_text, read_labels
from stn_perception.bags.labelling.labels import LabelledObject, Labels
from stn_perception.bags.labelling.tracks import Track, runs, track_of
from stn_perception.runtime.drawing import OBJECT_COLORS
from stn_perception.runtime.whole_file import write_whole_file


class LabellingSession:
    """The labels of one camera while they are edited; threads may ask at the same time.

    Args:
        path: The file of labels; an existing one is continued.
        camera: The camera's name.
        stamps_ns: Of its frames, increasing.

    Raises:
        BagError: An existing file cannot be continued.
    """

    def __init__(self, path: Path, camera: str, stamps_ns: Sequence[int]) -> None:
        self.path = path
        self.camera = camera
        self.stamps_ns = tuple(stamps_ns)
        self._lock = threading.RLock()
        labels, self._kept = (
            read_labels(path, camera, self.stamps_ns) if path.exists() else (Labels(), Kept())
        )
        self._history = History(labels)
        self._tracks: dict[LabelledObject, Track] = {}
        self._on_disk = _fingerprint(path)
        self._unsaved = ""
        self._seen: dict[str, int] = {}
        self._track_all()

    def edit(self, content: object, sender: str = "", number: int = 0) -> None:
        """Do what the page asks for, and write the file.

        Args:
            content: The edit.
            sender: Who sends it.
            number: The sender's count of edits: one that comes twice is done once.

        Raises:
            ValueError: It cannot be done; nothing has changed.
        """
        edit = parse_edit(content)
        with self._lock:
            if sender and number <= self._seen.get(sender, 0):
                return
            if isinstance(edit, Step):
                {"undo": self._history.undo, "redo": self._history.redo}.get(edit.do, _nothing)()
            else:
                known = self._history.now.find(edit.object)
                track = self._tracks[known] if known is not None else None
                labels = changed(self._history.now, edit, track, len(self.stamps_ns))
                self._history.change(labels, getattr(edit, "gesture", ""))
            if sender:
                self._seen[sender] = number
            self._track_all()
            self._save()

    def state(self) -> dict[str, Any]:
        """All objects with their key frames and spans, for the page."""
        with self._lock:
            return {
                "saved": not self._unsaved,
                "problem": self._unsaved,
                "undo": self._history.can_undo,
                "redo": self._history.can_redo,
                "objects": [
                    self._about(item, index)
                    for index, item in enumerate(self._history.now.objects)
                ],
            }

    def frame(self, number: int) -> list[dict[str, Any]]:
        """The labels of one frame, for the page."""
        with self._lock:
            return [
                {"id": item.id, "corners": label.corners.tolist(), "origin": label.origin}
                for item in self._history.now.objects
                if (label := self._tracks[item].labels.get(number)) is not None
            ]

    def counts(self) -> tuple[int, int]:
        """How many objects there are, and how many frames have a label."""
        with self._lock:
            frames = {n for track in self._tracks.values() for n in track.labels}
            return len(self._history.now.objects), len(frames)

    def _about(self, item: LabelledObject, index: int) -> dict[str, Any]:
        track = self._tracks[item]
        straight = sorted(n for n, label in track.labels.items() if label.origin == "straight")
        blue, green, red = OBJECT_COLORS[index % len(OBJECT_COLORS)]
        return {
            "id": item.id,
            "class_id": item.class_id,
            "symmetry": item.symmetry,
            "color": f"rgb({red}, {green}, {blue})",
            "keys": sorted(item.keys),
            "leaves": sorted(n for n, key in item.keys.items() if key.leaves),
            "spans": [[span[0], span[-1]] for span in item.spans()],
            "straight": runs(straight),
            "folded": runs(track.folded),
        }

    def _track_all(self) -> None:
        known = self._tracks
        self._tracks = {
            item: known[item] if item in known else track_of(item, self.stamps_ns)
            for item in self._history.now.objects
        }

    def _save(self) -> None:
        """Write the file; where that fails, the next edit tries again."""
        if _fingerprint(self.path) != self._on_disk:
            self._unsaved = (
                f"{self.path} was changed by another program, it is not overwritten: "
                "start again to go on from what is there now"
            )
            return
        labels = self._history.now
        tracks = {item.id: track for item, track in self._tracks.items()}
        text = label_text(labels, tracks, self._kept, self.camera, self.stamps_ns)
        try:
            write_whole_file(self.path, text)
        except OSError as error:
            self._unsaved = f"{self.path} cannot be written: {error.strerror}"
            return
        self._on_disk = _fingerprint(self.path)
        self._unsaved = ""

    def close(self) -> None:
        """Wait until nothing is being written any more; no edit is taken after that."""
        self._lock.acquire()


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    if not path.exists():
        return None
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _nothing() -> None:
    """Nothing but what follows every edit."""
