# SPDX-License-Identifier: Apache-2.0
"""What it takes to compare evaluations of the short recording."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from stn_perception.bags.evaluation.records import Evaluation

FRAMES = 48


def digest(evaluation: Evaluation) -> str:
    """SHA-256 over every bit of every record; only the time that it took is left out."""
    parts: list[bytes] = []
    for record in (*evaluation.views, *evaluation.frames, *evaluation.bags):
        for field in fields(record):
            value = getattr(record, field.name)
            is_array = isinstance(value, np.ndarray)
            parts.append(value.tobytes() if is_array else repr(value).encode())
    return hashlib.sha256(b"|".join(parts)).hexdigest()
