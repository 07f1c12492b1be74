# SPDX-License-Identifier: Apache-2.0
"""True corners from a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from stn_perception.bags.truth.side_entry import SideFrame
from stn_perception.bags.truth.validation import read_model

FORMAT: Literal["stn_perception/truth"] = "stn_perception/truth"
VERSION: Literal[1] = 1


class SideFile(BaseModel):
    """The whole file; a camera named here is that of every frame that names none."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["stn_perception/truth"] = FORMAT
    version: Literal[1] = VERSION
    camera: str = ""
    frames: tuple[SideFrame, ...]


def read_side_json(path: Path) -> list[tuple[str, SideFrame]]:
    """The frames of a JSON side file, each with the place that an error would name.

    Raises:
        BagError: It cannot be read or is of another form.
    """
    content = read_model(path, SideFile, "truth")
    return [
        (
            f"frames[{index}]",
            frame if frame.camera else frame.model_copy(update={"camera": content.camera}),
        )
        for index, frame in enumerate(content.frames)
    ]
