# SPDX-License-Identifier: Apache-2.0
"""What a validated model refuses, in a sentence that names the place and the value."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from stn_perception.bags.errors import BagError

Model = TypeVar("Model", bound=BaseModel)

_LONGEST_VALUE = 60


def read_model(path: Path, kind: type[Model], what: str) -> Model:
    """A JSON file as a validated model.

    Args:
        path: The file.
        kind: The model.
        what: What the messages call the file.

    Raises:
        BagError: It cannot be read or is of another form.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BagError(f"the {what} {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise BagError(f"the {what} {path} cannot be used: {sentence(error)}.") from error


def sentence(error: ValidationError, hidden: Collection[str] = ()) -> str:
    """The first thing that is wrong: where, what stands there and what was expected.

    Args:
        error: What pydantic raised.
        hidden: Names of union members that pydantic puts into the place, to be left out.
    """
    first = error.errors()[0]
    where = _place([part for part in first["loc"] if part not in hidden])
    reason = str(first["msg"])
    if first["type"] == "value_error":
        reason = reason.removeprefix("Value error, ")  # one of our own checks
        return f"{where}: {reason}" if where else reason
    if first["type"] in ("missing", "json_invalid"):
        return f"{where}: {reason}" if where else reason
    return f"{where} is {_value(first.get('input'))}: {reason}"


def _place(parts: Sequence[int | str]) -> str:
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _value(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
