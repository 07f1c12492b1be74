# SPDX-License-Identifier: Apache-2.0
"""What a model costs on one core: the network's passes, and all steps from boxes to transforms."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch

from stn_perception.geometry import AxisAlignedBox
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.threads import one_thread

BATCH = 8
_REPEATS = 40
_FRAME_WIDTH, _FRAME_HEIGHT = 640, 480


def measure_speed(archive: ModelArchive) -> dict[str, Any]:
    """Time a model on one core with eight objects in a VGA frame.

    Args:
        archive: the opened archive; on the CPU for figures of a core.

    Returns:
        ``batch``, ``passes`` (one more than the card's refinement steps), and in milliseconds per
        object ``network`` (all passes) and ``canonicalizer`` (crops, all passes, composition):
        each with ``median`` and ``fastest`` of repeated calls. Other load on the machine shows in
        the median first.
    """
    card = archive.card
    passes = card.refinement_steps + 1
    generator = torch.Generator().manual_seed(1)
    shape = (BATCH, card.channels, card.input_height, card.input_width)
    crops = torch.rand(shape, generator=generator)
    canonicalizer = Canonicalizer(
        archive, PipelineSettings(min_valid_fraction=0.0), get_backend("opencv")
    )
    request = _request(card.channels)
    with one_thread():
        return {
            "batch": BATCH,
            "passes": passes,
            "network": _per_object(lambda: [archive.predict(crops) for _ in range(passes)]),
            "canonicalizer": _per_object(lambda: canonicalizer.predict([request])),
        }


def _request(channels: int) -> FrameRequest:
    """Return a frame of smooth noise with eight boxes in two rows."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    size = (_FRAME_WIDTH, _FRAME_HEIGHT)
    pixels = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    frame = Frame(np.ascontiguousarray(pixels[..., 0]), "gray")
    if channels == 3:
        frame = Frame(pixels, "rgb")
    boxes = [
        AxisAlignedBox(80.0 + 160 * column, 120.0 + 240 * row, 110.0, 90.0)
        for row in range(2)
        for column in range(4)
    ]
    return FrameRequest("speed", frame, tuple(Region(box) for box in boxes))


def _per_object(call: Callable[[], object]) -> dict[str, float]:
    for _ in range(5):
        call()
    times_ms = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        call()
        times_ms.append(1e3 * (time.perf_counter() - started) / BATCH)
    return {"median": round(float(np.median(times_ms)), 4), "fastest": round(min(times_ms), 4)}
