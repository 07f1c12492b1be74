# SPDX-License-Identifier: Apache-2.0
"""All parameters of the node: one validated model, seen from ROS as flat names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from stn_perception.runtime.parameters.object_sizes import parse_object_sizes
from stn_perception.runtime.parameters.parameter_table import ParameterSpec, RosValue, specs_of
from stn_perception.runtime.parameters.settings import (
    FROZEN,
    InputSettings,
    ModelSettings,
    OutputSettings,
)
from stn_perception.runtime.settings import PipelineSettings


class ParameterError(ValueError):
    """Parameters cannot be used; the message says which, its value and what was expected."""


class NodeParameters(BaseModel):
    """The whole configuration; a group each for the model, inputs, outputs and the pipeline."""

    model_config = FROZEN

    model: ModelSettings = ModelSettings()
    inputs: InputSettings = InputSettings()
    outputs: OutputSettings = OutputSettings()
    pipeline: PipelineSettings = PipelineSettings()

    @classmethod
    def from_ros(cls, values: Mapping[str, RosValue]) -> NodeParameters:
        """Validate flat ROS values as a whole; what is not given has its default.

        Raises:
            ParameterError: One sentence that names every offending parameter.
        """
        unknown = sorted(set(values) - set(PARAMETERS))
        if unknown:
            raise ParameterError(unknown_parameters(unknown))
        groups: dict[str, dict[str, Any]] = {}
        for name, value in values.items():
            spec = PARAMETERS[name]
            try:
                decoded = parse_object_sizes(value) if name == "object_size_m" else value
            except ValueError as error:
                raise ParameterError(f"Invalid parameter: {error}.") from error
            groups.setdefault(spec.group, {})[name] = decoded
        try:
            return cls.model_validate(groups)
        except ValidationError as error:
            raise ParameterError(_sentence(error)) from error


PARAMETERS: Mapping[str, ParameterSpec] = specs_of(NodeParameters())


def unknown_parameters(names: list[str]) -> str:
    """One sentence about parameters that the node does not have."""
    listed = ", ".join(f"'{name}'" for name in names)
    plural = "s" if len(names) > 1 else ""
    return (
        f"Unknown parameter{plural} {listed}; config/canonicalizer.yaml lists every parameter "
        "of this node."
    )


def _sentence(error: ValidationError) -> str:
    parts = []
    for problem in error.errors():
        message = (
            problem["msg"]
            .removeprefix("Value error, ")
            .replace("tuple", "list")
            .replace("Tuple", "list")
        )
        if len(problem["loc"]) < 2:  # a check of a whole group speaks for itself
            parts.append(message)
            continue
        name = str(problem["loc"][1])
        given = problem["input"]
        parts.append(f"{name} is {given!r}: {message[0].lower()}{message[1:]}")
    return f"Invalid parameter: {'; '.join(parts)}."
