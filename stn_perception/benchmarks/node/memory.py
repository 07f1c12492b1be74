# SPDX-License-Identifier: Apache-2.0
"""Whether the node's memory stays flat."""

from __future__ import annotations

from typing import Any

import numpy as np

from stn_perception.benchmarks.node.cases import Case
from stn_perception.benchmarks.node.passage import Passage

_SETTLING_SHARE = 0.1  # of the run: pools and caches fill
_MOST_POINTS = 600
_MIB = 2**20


def memory_series(passage: Passage) -> dict[str, Any]:
    """Resident memory of the node over the run, and the line through it after it has settled."""
    use = passage.uses["node"]
    seconds = (np.array(use.at_ns) - use.at_ns[0]) / 1e9
    mebibytes = np.array(use.resident_bytes) / _MIB
    settled = seconds >= _SETTLING_SHARE * seconds[-1]
    slope, offset = np.polyfit(seconds[settled], mebibytes[settled], 1)
    step = max(1, len(seconds) // _MOST_POINTS)
    return {
        "seconds": np.round(seconds[::step], 1).tolist(),
        "resident_mib": np.round(mebibytes[::step], 2).tolist(),
        "settled_after_s": float(_SETTLING_SHARE * seconds[-1]),
        "slope_kib_per_minute": float(slope * 60 * 1024),
        "settled_mib": float(offset + slope * _SETTLING_SHARE * seconds[-1]),
        "last_mib": float(mebibytes[-1]),
        "highest_mib": float(mebibytes.max()),
    }


def memory_notes(case: Case, passage: Passage) -> list[str]:
    """One sentence on a run's memory."""
    told = memory_series(passage)
    minutes = told["seconds"][-1] / 60
    return [
        f"Memory of {case.name} over {minutes:.1f} min: {told['settled_mib']:.1f} MiB once "
        f"settled, {told['last_mib']:.1f} MiB at the end, at most {told['highest_mib']:.1f} MiB; "
        f"slope {told['slope_kib_per_minute']:+.1f} KiB per minute."
    ]
