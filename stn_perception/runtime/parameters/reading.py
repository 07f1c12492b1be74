# SPDX-License-Identifier: Apache-2.0
"""Read the node's parameter file as rcl does, for work without ROS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from stn_perception.runtime.parameters.parameters import NodeParameters, ParameterError

NODE_NAME = "canonicalizer"
_VALUES = "ros__parameters"
# What every ROS 2 node has besides its own.
_OF_ANY_NODE = ("use_sim_time", "start_type_description_service", "qos_overrides")


def read_parameters(path: Path, node: str = NODE_NAME) -> NodeParameters:
    """Parameters of a node from a ROS 2 parameter file; what it does not name has its default.

    Sections for ``/**``, ``/*`` and the node itself hold, whatever namespace they name; later
    ones win, as in rcl's parser.

    Args:
        path: YAML with ``<node>: ros__parameters: …``.
        node: The node's name.

    Raises:
        ParameterError: It cannot be read, has no section for the node, or a value is bad.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"{path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise ParameterError(f"{path} is no YAML: {text}.") from error
    sections = list(_sections(content, "")) if isinstance(content, dict) else []
    fitting = [values for name, values in sections if _is_for(name, node)]
    if not fitting:
        there = ", ".join(name for name, _ in sections) or "none"
        raise ParameterError(
            f"{path} has no parameters for '{node}', expected '/**:' or '{node}:' with "
            f"'{_VALUES}:' below it; it has {there}."
        )
    values: dict[str, Any] = {}
    for section in fitting:
        values.update(section)
    own = {name: value for name, value in values.items() if not name.startswith(_OF_ANY_NODE)}
    try:
        return NodeParameters.from_ros(own)
    except ParameterError as error:
        raise ParameterError(f"{path}: {error}") from error


def _sections(content: Mapping[Any, Any], prefix: str) -> Any:
    """Yield the full name of each section with its parameters; namespaces may be nested."""
    for name, inner in content.items():
        if not isinstance(inner, dict):
            continue
        full = f"{prefix}/{str(name).strip('/')}"
        if isinstance(inner.get(_VALUES), dict):
            yield full, inner[_VALUES]
        yield from _sections({k: v for k, v in inner.items() if k != _VALUES}, full)


def _is_for(section: str, node: str) -> bool:
    return section.rsplit("/", 1)[-1] in ("**", "*", node)
