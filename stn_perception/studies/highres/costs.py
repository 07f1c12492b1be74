# SPDX-License-Identifier: Apache-2.0
"""What reading a frame costs: arithmetic counted, time measured in turn."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from stn_perception.runtime.threads import one_thread
from stn_perception.stn.blocks import fold_blocks
from stn_perception.studies.highres.backdrops import HEIGHT_PX, WIDTH_PX
from stn_perception.studies.highres.frames import draw_frames
from stn_perception.studies.highres.looking import LookingReader
from stn_perception.studies.highres.reading import reader

_ROUNDS, _WARM = 9, 2


@dataclass(frozen=True)
class Cost:
    """Of one frame.

    Attributes:
        gflop: Thousand millions of multiplications and additions.
        time_ms: From its pixels in memory to the digit, one CPU thread.
    """

    gflop: float
    time_ms: float


def costs(networks: Mapping[str, tuple[nn.Module, int]]) -> dict[str, Cost]:
    """Return what every row's network costs; their normalisation is folded, as one would in use.

    Args:
        networks: Network and the factor by which its frames are shrunk, by row.
    """
    frame = draw_frames("validation", 1, np.random.default_rng(0))[0].pixels()
    readers, gflops = {}, {}
    times: dict[str, list[float]] = {name: [] for name in networks}
    for name, (network, factor) in networks.items():
        folded = copy.deepcopy(network).eval()
        fold_blocks(folded)
        readers[name] = reader(folded, factor)
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            readers[name](frame)
        shrinks = isinstance(network, LookingReader) or factor > 1
        shrinking = HEIGHT_PX * WIDTH_PX if shrinks else 0
        gflops[name] = (counter.get_total_flops() + shrinking) / 1e9
    with one_thread(), torch.no_grad():
        for round_ in range(_WARM + _ROUNDS):
            for name, read in readers.items():
                begin = time.perf_counter()
                read(frame)
                if round_ >= _WARM:
                    times[name].append(1e3 * (time.perf_counter() - begin))
    return {name: Cost(gflops[name], statistics.median(times[name])) for name in networks}
