# SPDX-License-Identifier: Apache-2.0
"""What of the task ``tabletop`` is configured."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator


class TabletopConfig(BaseModel):
    """Scenes of table-top objects.

    Attributes:
        rendered: how many scenes are rendered in three dimensions; whole chunks of 250.
        pasted: how many are pasted from cut-outs; whole chunks of 250.
        cutouts: how many lone bodies the cut-outs are.
        rendered_share: share of the crops that are cut from rendered scenes.
        scenes_seed: seed of the scenes; none takes the run's, another lets a second run cut other
            crops from the same scenes.
        folder: where scenes are kept between runs, relative to the working directory.
        workers: processes that draw them.
        found_share: share of the crops that follow what an earlier network found; of the others,
            as many as the settings of crops say follow a random estimate.
        found_by: checkpoint of that network; needed by ``found_share``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rendered: int = Field(default=12_000, ge=0, le=1_000_000, multiple_of=250)
    pasted: int = Field(default=12_000, ge=0, le=1_000_000, multiple_of=250)
    cutouts: int = Field(default=4_000, ge=10, le=100_000)
    rendered_share: float = Field(default=0.5, ge=0.0, le=1.0)
    scenes_seed: int | None = Field(default=None, ge=0)
    folder: Path = Path("build/tabletop")
    workers: int = Field(default=2, ge=1, le=256)
    found_share: float = Field(default=0.0, ge=0.0, le=1.0)
    found_by: Path | None = None

    @model_validator(mode="after")
    def _check_found(self) -> TabletopConfig:
        if self.found_share > 0 and self.found_by is None:
            raise ValueError(
                f"found_share is {self.found_share} without found_by, expected the checkpoint of "
                "the network that finds the estimates"
            )
        return self

    @model_validator(mode="after")
    def _check_sources(self) -> TabletopConfig:
        for count, share, name in (
            (self.rendered, self.rendered_share, "rendered"),
            (self.pasted, 1 - self.rendered_share, "pasted"),
        ):
            if count == 0 and share > 0:
                raise ValueError(
                    f"{name} is 0 while {share:g} of the crops are cut from such scenes, "
                    "expected scenes or another rendered_share"
                )
        return self
