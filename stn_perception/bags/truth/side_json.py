# SPDX-License-Identifier: Apache-2.0
"""True corners from a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stn_perception.bags.errors import BagError
from stn_perception.bags.truth.side_entry import SideFrame
from stn_perception.bags.truth.validation import sentence

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
    try:
        content = SideFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BagError(f"the truth {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        raise BagError(f"the truth {path} cannot be used: {sentence(error)}.") from error
    return [
        (
            f"frames[{index}]",
            frame if frame.camera else frame.model_copy(update={"camera": content.camera}),
        )
        for index, frame in enumerate(content.frames)
    ]
