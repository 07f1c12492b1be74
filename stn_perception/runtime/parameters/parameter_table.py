# SPDX-License-Identifier: Apache-2.0
"""Read names, types, ranges and descriptions of ROS parameters off the validated model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from stn_perception.runtime.parameters.object_sizes import format_object_sizes

RosValue = bool | int | float | str | list[int] | list[float] | list[str]

# Of the pipeline's knobs, these decide which topics exist or what is loaded.
_READ_ONLY_KNOBS = frozenset({"backend", "max_objects"})
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True)
class ParameterSpec:
    """One ROS parameter.

    Attributes:
        name: Its flat name.
        group: The group of ``NodeParameters`` that holds it.
        default: As ROS stores it; its type is the parameter's.
        description: One sentence.
        read_only: Whether it keeps the value it had at start.
        lower, upper: Inclusive range, or None where there is none.
        choices: The allowed strings or numbers; empty where any goes.
    """

    name: str
    group: str
    default: RosValue
    description: str
    read_only: bool
    lower: float | int | None
    upper: float | int | None
    choices: tuple[str | int, ...]


def specs_of(defaults: BaseModel) -> dict[str, ParameterSpec]:
    """Table of all parameters of a model whose fields are groups, by flat name.

    Raises:
        ValueError: Two groups have a field of the same name.
    """
    table: dict[str, ParameterSpec] = {}
    for group in type(defaults).model_fields:
        settings = getattr(defaults, group)
        for name, field in type(settings).model_fields.items():
            if name in table:
                raise ValueError(f"the parameter '{name}' is in {group} and {table[name].group}")
            table[name] = _spec(name, group, field, getattr(settings, name))
    return table


def ros_values(parameters: BaseModel) -> dict[str, RosValue]:
    """Every parameter's value as ROS stores it, by flat name."""
    return {
        name: ros_value(name, getattr(getattr(parameters, group), name))
        for group in type(parameters).model_fields
        for name in type(getattr(parameters, group)).model_fields
    }


def ros_value(name: str, value: Any) -> RosValue:
    """A model's value as ROS stores it: tuples as lists, sizes as strings."""
    if isinstance(value, Mapping):
        return list(format_object_sizes(value))
    if isinstance(value, tuple):
        return list(value) or [""]  # ROS cannot tell the type of an empty list
    if isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"the parameter '{name}' is a {type(value).__name__}, which ROS cannot store")


def _spec(name: str, group: str, field: FieldInfo, default: Any) -> ParameterSpec:
    lower, upper = _limits(field, isinstance(default, float))
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return ParameterSpec(
        name=name,
        group=group,
        default=ros_value(name, default),
        description=field.description or "",
        read_only=bool(extra.get("read_only")) or name in _READ_ONLY_KNOBS,
        lower=lower,
        upper=upper,
        choices=get_args(field.annotation) if get_origin(field.annotation) is Literal else (),
    )


def _limits(field: FieldInfo, real: bool) -> tuple[float | int | None, float | int | None]:
    """Inclusive range of a number; an exclusive bound moves to the next one inside."""
    bounds: dict[str, Any] = {}
    for limit in field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if getattr(limit, name, None) is not None:
                bounds[name] = getattr(limit, name)
    lower, upper = bounds.get("ge"), bounds.get("le")
    if bounds.get("gt") is not None:
        lower = math.nextafter(bounds["gt"], math.inf) if real else bounds["gt"] + 1
    if bounds.get("lt") is not None:
        upper = math.nextafter(bounds["lt"], -math.inf) if real else bounds["lt"] - 1
    if lower is None and upper is None:
        return None, None
    if real:
        return (
            -math.inf if lower is None else float(lower),
            math.inf if upper is None else float(upper),
        )
    return -_INT64_MAX if lower is None else lower, _INT64_MAX if upper is None else upper
