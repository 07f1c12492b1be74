# SPDX-License-Identifier: Apache-2.0
"""What an evaluation may be told, as one validated model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stn_perception.bags.opening.default_cache import default_cache
from stn_perception.bags.truth import TruthOptions
from stn_perception.runtime.parameters.parameters import NodeParameters

_BATCH_FRAMES = 8

Boxes = Literal["auto", "detections", "truth", "full_frame", "fixed"]


class EvaluationOptions(BaseModel):
    """One run.

    Attributes:
        bags: Paths or URLs.
        models: Shipped names or paths of archives; empty: the parameters' one.
        parameters: The node's.
        images: Image topics to look at; empty: the only one there is, or those of the
            parameters' cameras.
        detections: Topic of the boxes; None: by name or type; "" for none.
        boxes: Where boxes come from. auto: the parameters' choice, but for a recording without
            detections: the truth where there is one, else the whole frame.
        truth: Where the truth comes from.
        references: Folder of canonical pictures by object id or class.
        probe_every: Of so many frames one is probed by turned crops; 0 for none.
        probe_angle_deg: Crops are turned by up to so many degrees, either way.
        workers: Processes on this machine; 0: this one; None: one a core where it pays.
        scheduler: Address of a Dask scheduler instead, or "".
        memory_limit: Of each process on this machine.
        pin: Keep each process on this machine to a core of its own.
        chunk_frames: Frames in a piece of work, rounded up to whole batches.
        batch_frames: Frames that go through the network at once. In the node each frame goes
            alone; more at once are quicker and move views by some 1e-4 px. None: 8, but 1 where
            a recording is written, which shall be the node's to the bit.
        cache: Folder for downloads and sound copies.
        write: Recording to write with the input and what the node would publish.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bags: Annotated[tuple[str, ...], Field(min_length=1)]
    models: tuple[str, ...] = ()
    parameters: NodeParameters = NodeParameters()
    images: tuple[str, ...] = ()
    detections: str | None = None
    boxes: Boxes = "auto"
    truth: TruthOptions = TruthOptions()
    references: Path | None = None
    probe_every: Annotated[int, Field(ge=0)] = 10
    probe_angle_deg: Annotated[float, Field(gt=0, le=180)] = 30.0
    workers: Annotated[int, Field(ge=0, le=1024)] | None = None
    scheduler: str = ""
    memory_limit: str = "2GiB"
    pin: bool = False
    chunk_frames: Annotated[int, Field(ge=1, le=100_000)] = 64
    batch_frames: Annotated[int, Field(ge=1, le=1024)] | None = None
    cache: Path = Field(default_factory=default_cache)
    write: Path | None = None

    @property
    def batch(self) -> int:
        """The number of frames in a batch, decided."""
        if self.batch_frames is not None:
            return self.batch_frames
        return _BATCH_FRAMES if self.write is None else 1
