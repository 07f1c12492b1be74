# SPDX-License-Identifier: Apache-2.0
"""How often readings are wrong, on frames drawn once for every split."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import torch

from stn_perception.studies.data.digits import Split
from stn_perception.studies.highres.backdrops import Gray
from stn_perception.studies.highres.frames import Frame, draw_frames
from stn_perception.studies.highres.reading import Reading

_SEEDS: Mapping[Split, int] = {"train": 51, "validation": 52, "test": 53}
_COUNTS: Mapping[Split, int] = {"train": 100, "validation": 100, "test": 500}


@lru_cache(maxsize=2)
def held_out(split: Split) -> tuple[Frame, ...]:
    """Return a split's frames, always alike."""
    return tuple(draw_frames(split, _COUNTS[split], np.random.default_rng(_SEEDS[split])))


def reading_figures(
    frames: tuple[Frame, ...], read: Callable[[Gray], Reading]
) -> Mapping[str, float]:
    """Return how often a reading is wrong, and how often it is of another place than the sign.

    Args:
        frames: To read.
        read: From a frame's pixels, uint8 2160×3840.
    """
    wrong = missed = 0
    for frame in frames:
        with torch.no_grad():
            reading = read(frame.pixels())
        wrong += reading.digit != frame.label
        off_px = math.dist(reading.center_px, frame.pose.center_px)
        missed += off_px > frame.pose.side_px
    count = len(frames)
    return {"error_percent": 100 * wrong / count, "missed_percent": 100 * missed / count}
