# SPDX-License-Identifier: Apache-2.0
"""What of the task ``tabletop`` is configured."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class TabletopConfig(BaseModel):
    """Scenes and crops of table-top objects.

    Attributes:
        count: how many scenes are drawn.
        folder: where they are kept between runs, relative to the working directory.
        workers: processes that draw them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=20_000, ge=1, le=5_000_000)
    folder: Path = Path("build/tabletop")
    workers: int = Field(default=2, ge=1, le=256)
