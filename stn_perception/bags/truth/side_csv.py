# SPDX-License-Identifier: Apache-2.0
"""True corners from a CSV file: one object a line."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from stn_perception.bags.errors import BagError
from stn_perception.bags.truth.side_entry import SideFrame
from stn_perception.bags.truth.validation import sentence

_CORNERS = tuple(f"{axis}{corner}" for corner in range(4) for axis in "xy")
_BOX = ("center_x", "center_y", "width", "height", "angle_rad")
_NAMES = ("stamp_ns", "camera", "id", "class", "symmetry")


def read_side_csv(path: Path) -> list[tuple[str, SideFrame]]:
    """The lines of a CSV side file, each a frame of one object with the line's number.

    Raises:
        BagError: It cannot be read, or a line is of another form.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, strict=True)
            _check_columns(path, rows.fieldnames or ())
            return [(f"line {rows.line_num}", _frame(path, rows.line_num, row)) for row in rows]
    except OSError as error:
        raise BagError(f"the truth {path} cannot be read: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise BagError(f"the truth {path} is no CSV file: {error}.") from error


def _check_columns(path: Path, columns: Sequence[str]) -> None:
    shapes = [shape for shape in (_CORNERS, _BOX) if set(shape) & set(columns)]
    if "stamp_ns" not in columns or len(shapes) != 1 or set(shapes[0]) - set(columns):
        raise BagError(
            f"the truth {path} has the columns {','.join(columns)}, expected stamp_ns, camera, "
            f"id, class and then {','.join(_CORNERS)} or {','.join(_BOX)}."
        )
    unknown = set(columns) - {*_NAMES, *shapes[0]}
    if unknown:
        raise BagError(f"the truth {path} has the unknown column '{min(unknown)}'.")


def _frame(path: Path, line: int, row: Mapping[str | None, Any]) -> SideFrame:
    where = f"the truth {path}, line {line}"
    if None in row or None in row.values():
        raise BagError(f"{where}: it has not as many values as the header has columns.")
    values = {str(name): str(value).strip() for name, value in row.items()}
    entry: dict[str, Any] = {"id": values.get("id", ""), "class": values.get("class", "")}
    if values.get("symmetry"):
        entry["symmetry"] = _number(where, values, "symmetry", int)
    if "x0" in values:
        numbers = [_number(where, values, name, float) for name in _CORNERS]
        entry["corners"] = list(zip(numbers[::2], numbers[1::2], strict=True))
    else:
        x, y, width, height, angle_rad = (_number(where, values, name, float) for name in _BOX)
        entry["box"] = {"center": (x, y), "size": (width, height), "angle_rad": angle_rad}
    frame = {
        "stamp_ns": _number(where, values, "stamp_ns", int),
        "camera": values.get("camera", ""),
        "objects": [entry],
    }
    try:
        return SideFrame.model_validate(frame)
    except ValidationError as error:
        raise BagError(f"{where}: {sentence(error)}.") from error


def _number(
    where: str, values: Mapping[str, str], name: str, kind: type[int] | type[float]
) -> float:
    try:
        return kind(values[name])
    except ValueError as error:
        expected = "a whole number" if kind is int else "a number"
        raise BagError(f"{where}: {name} is '{values[name]}', expected {expected}.") from error
