# SPDX-License-Identifier: Apache-2.0
"""The file of labels: a side file of truth in which clicked corners can be told from others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from stn_perception.bags.errors import BagError
from stn_perception.bags.labelling.labels import KeyFrame, LabelledObject, Labels
from stn_perception.bags.labelling.tracks import Label, Track, runs
from stn_perception.bags.truth.names import same_camera
from stn_perception.bags.truth.side_json import FORMAT, VERSION, SideFile
from stn_perception.bags.truth.validation import sentence

_DECIMALS = 3
# What this module decides about a frame and about an object; all else in a file is kept.
_FRAME_KEYS = ("camera", "stamp_ns", "objects", "key", "interpolated")
_OBJECT_KEYS = ("id", "class", "symmetry", "corners", "key", "interpolated", "straight", "leaves")


@dataclass(frozen=True, eq=False)
class Kept:
    """What a file held beside the labels, to be written again.

    Attributes:
        top: Other entries of the file.
        frames: Frames of other cameras.
        frame: Other entries of our frames, by stamp.
        objects: Objects without an id or without corners, by stamp.
    """

    top: dict[str, Any] = field(default_factory=dict)
    frames: list[dict[str, Any]] = field(default_factory=list)
    frame: dict[int, dict[str, Any]] = field(default_factory=dict)
    objects: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


def read_labels(path: Path, camera: str, stamps_ns: Sequence[int]) -> tuple[Labels, Kept]:
    """The labels of one camera in a file, and what else is in it.

    Corners that are not marked as interpolated are key frames; so are the first and the last of
    an object's unbroken run of frames, whatever their mark, so that nothing is dropped.

    Args:
        path: The file.
        camera: The camera's name.
        stamps_ns: Of the camera's frames in the bag, increasing.

    Raises:
        BagError: It cannot be read, is of another form, or belongs to another bag.
    """
    content = _content(path)
    kept = Kept(top={k: v for k, v in content.items() if k not in ("format", "version", "frames")})
    numbers = {stamp: number for number, stamp in enumerate(stamps_ns)}
    entries: dict[str, dict[int, dict[str, Any]]] = {}
    strange: list[int] = []
    ours = 0
    for frame in content["frames"]:
        named = frame.get("camera") or content.get("camera") or camera
        if not same_camera(named, camera):
            kept.frames.append(frame)
            continue
        ours += 1
        stamp = frame["stamp_ns"]
        if stamp in numbers:
            _take_frame(path, frame, numbers[stamp], entries, kept)
        else:
            strange.append(stamp)
    if strange:
        raise BagError(
            f"{path} belongs to another bag: {len(strange)} of its {ours} frames of the camera "
            f"'{camera}' have stamps that are not in this one, the first is {strange[0]}."
        )
    return Labels(tuple(_object(name, found) for name, found in entries.items())), kept


def label_text(
    labels: Labels, tracks: Mapping[str, Track], kept: Kept, camera: str, stamps_ns: Sequence[int]
) -> str:
    """The content of the file, one frame a line.

    Args:
        labels: All objects.
        tracks: Of all objects, by id.
        kept: What is to be written beside them.
        camera: The camera's name.
        stamps_ns: Of its frames, by number.
    """
    lines = [*kept.frames]
    for number, stamp in enumerate(stamps_ns):
        found = [
            _entry(item, label, number)
            for item in labels.objects
            if (label := tracks[item.id].labels.get(number)) is not None
        ]
        objects = found + kept.objects.get(stamp, [])
        if objects or stamp in kept.frame:
            mark = {"key": True} if any("key" in entry for entry in found) else {}
            if found and not mark:
                mark = {"interpolated": True}
            frame = {"camera": camera, "stamp_ns": stamp, **mark, **kept.frame.get(stamp, {})}
            lines.append({**frame, "objects": objects})
    head = json.dumps({"format": FORMAT, "version": VERSION, **kept.top}, ensure_ascii=False)
    body = ",\n".join(json.dumps(line, ensure_ascii=False) for line in lines)
    return f'{head[:-1]}, "frames": [\n{body}\n]}}\n'


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BagError(f"the labels {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise BagError(f"the labels {path} are no JSON: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BagError(
            f'{path} is no file of labels, expected "format": "{FORMAT}"; name another file '
            "with --output."
        )
    try:
        SideFile.model_validate(content)
    except ValidationError as error:
        raise BagError(f"the labels {path} cannot be used: {sentence(error)}.") from error
    return content


def _take_frame(
    path: Path,
    frame: dict[str, Any],
    number: int,
    entries: dict[str, dict[int, dict[str, Any]]],
    kept: Kept,
) -> None:
    stamp, objects = frame["stamp_ns"], frame["objects"]
    if isinstance(objects, dict):  # the shorter form: corners by id
        objects = [{"id": name, "corners": corners} for name, corners in objects.items()]
    other = {key: value for key, value in frame.items() if key not in _FRAME_KEYS}
    if other or not objects:
        kept.frame.setdefault(stamp, {}).update(other)
    for item in objects:
        name = item.get("id", "")
        if not name or item.get("corners") is None:
            kept.objects.setdefault(stamp, []).append(item)
        elif number in entries.setdefault(name, {}):
            raise BagError(f"{path} has the object '{name}' twice at the stamp {stamp}.")
        else:
            entries[name][number] = item


def _object(name: str, entries: Mapping[int, Mapping[str, Any]]) -> LabelledObject:
    numbers = sorted(entries)
    unbroken = runs(numbers)
    ends = {number for run in unbroken for number in run}
    lasts = {run[1] for run in unbroken[:-1]}
    keys = {
        number: KeyFrame(
            np.array(entries[number]["corners"], dtype=np.float64),
            leaves=number in lasts or bool(entries[number].get("leaves")),
        )
        for number in numbers
        if number in ends or not entries[number].get("interpolated")
    }
    others = {
        number: {key: value for key, value in entries[number].items() if key not in _OBJECT_KEYS}
        for number in numbers
    }
    first = entries[numbers[0]]
    return LabelledObject(name, first.get("class", ""), first.get("symmetry", 1), keys, others)


def _entry(item: LabelledObject, label: Label, number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": item.id,
        "class": item.class_id,
        "symmetry": item.symmetry,
        "corners": label.corners.round(_DECIMALS).tolist(),
    }
    if label.origin == "key":
        entry["key"] = True
        if item.keys[number].leaves:
            entry["leaves"] = True
    else:
        entry["interpolated"] = True
        if label.origin == "straight":
            entry["straight"] = True
    return {**entry, **item.others.get(number, {})}
