# SPDX-License-Identifier: Apache-2.0
"""True corners from a file beside the bag."""

from __future__ import annotations

from pathlib import Path

from stn_perception.bags.errors import BagError
from stn_perception.bags.truth.names import same_camera
from stn_perception.bags.truth.objects import TrueObject
from stn_perception.bags.truth.side_csv import read_side_csv
from stn_perception.bags.truth.side_json import read_side_json
from stn_perception.bags.truth.stamped import StampedObjects, StampedTruth


def side_file_truth(path: Path, camera: str, tolerance_s: float = 0.0) -> StampedTruth:
    """The truth about one camera from a side file; ``.csv`` is a table, all else is JSON.

    Entries of one stamp are joined.

    Raises:
        BagError: The file cannot be read or is of another form, or names an object of a frame
            twice.
    """
    read = read_side_csv if path.suffix.lower() == ".csv" else read_side_json
    by_stamp: dict[int, list[TrueObject]] = {}
    names: dict[int, set[str]] = {}
    for place, frame in read(path):
        if frame.camera and not same_camera(frame.camera, camera):
            continue
        known = names.setdefault(frame.stamp_ns, set())
        for entry in frame.objects:
            if entry.id and entry.id in known:
                raise BagError(
                    f"the truth {path}, {place}: the object '{entry.id}' comes twice at the stamp "
                    f"{frame.stamp_ns}."
                )
            known.add(entry.id)
            by_stamp.setdefault(frame.stamp_ns, []).append(entry.true_object())
    entries = [StampedObjects(stamp, "", tuple(objects)) for stamp, objects in by_stamp.items()]
    return StampedTruth(entries, tolerance_s)
