# SPDX-License-Identifier: Apache-2.0
"""Known object sizes as a ROS parameter: strings ``class=width,height`` in metres."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parse_object_sizes(entries: Any) -> dict[str, tuple[float, float]]:
    """Sizes by class from ``class=width,height``; ``=width,height`` holds for any class.

    Empty entries are ignored (ROS parameter files cannot hold an empty list).

    Raises:
        ValueError: An entry is not of the form or a class comes twice.
    """
    if not isinstance(entries, (list, tuple)):
        raise ValueError(f"object_size_m is {entries!r}, expected a list of 'class=width,height'")
    sizes: dict[str, tuple[float, float]] = {}
    for entry in entries:
        if not str(entry).strip():
            continue
        class_id, separator, numbers = str(entry).rpartition("=")
        try:
            width, height = (float(number) for number in numbers.split(","))
        except ValueError:
            separator = ""
        if not separator:
            raise ValueError(
                f"object_size_m has '{entry}', expected 'class=width,height' in metres"
            )
        if class_id.strip() in sizes:
            raise ValueError(f"object_size_m gives the class '{class_id.strip()}' twice")
        sizes[class_id.strip()] = (width, height)
    return sizes


def format_object_sizes(sizes: Mapping[str, tuple[float, float]]) -> list[str]:
    """The inverse of ``parse_object_sizes``."""
    return [f"{name}={width:g},{height:g}" for name, (width, height) in sizes.items()] or [""]
