# SPDX-License-Identifier: Apache-2.0
"""Open, probe and warm up the model that the parameters name."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

from stn_perception.node.stop_signal import StoppedError, StopSignal
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.padded_batches import PaddedArchive
from stn_perception.runtime.parameters.settings import ModelSettings
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest, full_frame_region
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.threads import set_threads

_FRAME_PX = 64


def limit_threads(count: int) -> None:
    """CPU threads for network and sampling in the calling thread; 0: all cores but one, or one.

    The free core takes and publishes messages. Where a camera's driver and a subscriber share two
    cores with the node, networks on both wait for each other's threads: 12 to 17 ms, not 10.
    """
    set_threads(count or max(1, len(os.sched_getaffinity(0)) - 1))


def load_model(
    settings: ModelSettings, stop: StopSignal, tell: Callable[[str], None]
) -> ModelArchive:
    """The archive named by ``model``, with every batch size of ``warm_up_batches`` run.

    Args:
        settings: The model's parameters.
        stop: Ends the loading between two steps.
        tell: Takes a sentence for the log.

    Raises:
        ArchiveError: The file cannot be used.
        ModelError: The network fails on a batch size.
        StoppedError: ``stop`` was set.
    """
    limit_threads(settings.num_threads)
    began_s = time.monotonic()
    archive = ModelArchive.open(settings.model, settings.device, settings.cardless())
    for size in sorted(set(settings.warm_up_batches)):
        if stop.is_set():
            raise StoppedError("The process was asked to end while the model was loading.")
        archive.warm_up([size])
    card = archive.card
    tell(
        f"Model '{card.name}' {card.version} ({card.family}, {archive.format}) from "
        f"{archive.path} on {archive.device}, ready for batches of "
        f"{', '.join(map(str, sorted(set(settings.warm_up_batches))))} after "
        f"{time.monotonic() - began_s:.1f} s."
    )
    return PaddedArchive(archive, settings.warm_up_batches) if settings.pad_batches else archive


def warm_up_pipeline(archive: ModelArchive, settings: PipelineSettings) -> None:
    """Run the whole pipeline once, so that the first frame does not pay for what loads lazily."""
    pixels = np.arange(_FRAME_PX * _FRAME_PX * 3, dtype=np.uint8).reshape(_FRAME_PX, _FRAME_PX, 3)
    frame = Frame(pixels, "rgb")
    request = FrameRequest("warm_up", frame, (full_frame_region(frame),))
    Pipeline(archive, settings).process([request])
