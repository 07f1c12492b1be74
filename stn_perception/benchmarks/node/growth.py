# SPDX-License-Identifier: Apache-2.0
"""Cost over the number of cameras: a fixed part and a part for each camera."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.figures import Figures

CAMERA_CASES = tuple(f"vga-4-{cameras}cams" for cameras in range(1, 9))
_MOST_LOST = 0.02


def growth_note(cases: Sequence[Case], found: Sequence[Figures]) -> str:
    """The line through the processor time over the cameras, where the node keeps up.

    Beyond, frames are dropped and the time per second stands at what the machine has.
    """
    keeping_up = [
        (case.cameras, (each.node_cpu_ms or 0.0) * case.cameras)
        for case, each in zip(cases, found, strict=True)
        if each.processed >= (1 - _MOST_LOST) * each.sent
    ]
    if len(keeping_up) < 2:
        return "The node kept up with fewer than two numbers of cameras: no line can be fitted."
    cameras, cost_ms = np.array(keeping_up, float).T
    slope, offset = np.polyfit(cameras, cost_ms, 1)
    return (
        f"CPU per moment (one frame of every camera): {offset:.1f} ms fixed and {slope:.1f} ms "
        f"for each camera, fitted over {keeping_up[0][0]} to {keeping_up[-1][0]} cameras, where "
        f"at least {1 - _MOST_LOST:.0%} of the frames were processed."
    )
