# SPDX-License-Identifier: Apache-2.0
"""The source of truth as one line of text, as the command line takes it.

``none``, ``topic:NAME``, ``tf:FRAME=WIDTH,HEIGHT;FRAME=WIDTH,HEIGHT``, ``file:PATH`` or
``fiducials:FAMILY[:LAYOUT]``; options follow as ``;name=value``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from stn_perception.bags.errors import BagError
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.bags.truth.validation import sentence

FORMS = (
    "none, topic:NAME, tf:FRAME=WIDTH,HEIGHT;..., file:PATH or fiducials:FAMILY[:LAYOUT], "
    "followed by ;name=value"
)
_OPTIONS = {
    "none": (),
    "topic": ("tolerance_s", "pixel_origin", "corner_order"),
    "tf": ("axes", "max_gap_s"),
    "file": ("tolerance_s",),
    "fiducials": (),
}


def parse_truth(text: str) -> TruthOptions:
    """The options of a line of text.

    Raises:
        BagError: It is of no known form, or a value in it is not possible.
    """
    source, colon, rest = text.strip().partition(":")
    if source not in _OPTIONS or bool(colon) != (source != "none"):
        raise BagError(f"the truth '{text}' is of no known form, expected {FORMS}.")
    main, *others = (part.strip() for part in rest.split(";"))
    fields: dict[str, Any] = {"source": source}
    if source == "tf":
        named = [part for part in (main, *others) if part]
        others = [part for part in named if _name(part) in _OPTIONS["tf"]]
        fields["sizes_m"] = _sizes([part for part in named if part not in others], text)
    elif source == "fiducials":
        fields["dictionary"], _, fields["layout"] = main.partition(":")
    elif source != "none":
        fields[source] = main
    for part in others:
        name = _name(part)
        if name not in _OPTIONS[source]:
            known = ", ".join(_OPTIONS[source]) or "none"
            raise BagError(f"the truth '{text}' has '{part}', options of {source}: {known}.")
        fields[name] = part.partition("=")[2].strip()
    try:
        return TruthOptions.model_validate(fields)
    except ValidationError as error:
        raise BagError(f"the truth '{text}' cannot be used: {sentence(error)}.") from error


def _name(part: str) -> str:
    return part.partition("=")[0].strip()


def _sizes(parts: Sequence[str], text: str) -> dict[str, tuple[str, ...]]:
    sizes: dict[str, tuple[str, ...]] = {}
    for part in parts:
        frame, _, numbers = part.rpartition("=")
        if not frame.strip() or numbers.count(",") != 1:
            raise BagError(f"the truth '{text}' has '{part}', expected FRAME=WIDTH,HEIGHT in m.")
        if frame.strip() in sizes:
            raise BagError(f"the truth '{text}' gives the frame '{frame.strip()}' twice.")
        sizes[frame.strip()] = tuple(numbers.split(","))
    return sizes
