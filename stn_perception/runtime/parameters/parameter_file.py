# SPDX-License-Identifier: Apache-2.0
"""Write the commented parameter file from the parameters' own declarations.

Run ``python -m stn_perception.runtime.parameters.parameter_file > config/canonicalizer.yaml``.
"""

from __future__ import annotations

import json
import sys
import textwrap

from stn_perception.runtime.parameters.parameter_table import ParameterSpec, RosValue
from stn_perception.runtime.parameters.parameters import PARAMETERS, NodeParameters

_HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Every parameter of canonicalizer_node with its default. A parameter marked "fixed" keeps the
# value it had at start; all others can be changed while the node runs (ros2 param set).
# Written by: python -m stn_perception.runtime.parameters.parameter_file
/**:
  ros__parameters:
"""
_INDENT = " " * 4


def parameter_file() -> str:
    """Text of ``config/canonicalizer.yaml``."""
    groups: dict[str, list[ParameterSpec]] = {}
    for spec in PARAMETERS.values():
        groups.setdefault(spec.group, []).append(spec)
    sections = []
    for group, specs in groups.items():
        title = NodeParameters.model_fields[group].annotation
        doc = (title.__doc__ or "").strip().splitlines()[0] if title else group
        sections.append(f"{_INDENT}# ---- {doc}\n\n" + "\n".join(_entry(spec) for spec in specs))
    return _HEAD + "\n".join(sections)


def _entry(spec: ParameterSpec) -> str:
    notes = [spec.description]
    if spec.choices and not all(str(choice) in spec.description for choice in spec.choices):
        notes.append(f"One of: {', '.join(map(str, spec.choices))}.")
    if spec.lower is not None and spec.upper is not None:
        notes.append(f"Range {_bound(spec.lower)} to {_bound(spec.upper)}.")
    if spec.read_only:
        notes.append("(fixed)")
    comment = textwrap.fill(
        " ".join(notes),
        width=99,
        initial_indent=f"{_INDENT}# ",
        subsequent_indent=f"{_INDENT}# ",
    )
    return f"{comment}\n{_INDENT}{spec.name}: {_yaml(spec.default)}\n"


def _bound(value: float | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "above 0" if 0 < value < sys.float_info.min else f"{value:g}"


def _yaml(value: RosValue) -> str:
    return json.dumps(value)  # JSON's scalars and lists are YAML


if __name__ == "__main__":
    print(parameter_file(), end="")
