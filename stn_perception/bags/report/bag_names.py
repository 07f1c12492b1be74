# SPDX-License-Identifier: Apache-2.0
"""What recordings are called on the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath

from stn_perception.bags.evaluation.records import Evaluation


def short_names(evaluation: Evaluation) -> Mapping[str, str]:
    """Return the last part of each recording's name, or all of it where that is not unique."""
    names = {bag.name for bag in evaluation.bags} | {view.bag for view in evaluation.views}
    last = {name: PurePath(name.rstrip("/")).name or name for name in names}
    counts = Counter(last.values())
    return {name: part if counts[part] == 1 else name for name, part in last.items()}
