# SPDX-License-Identifier: Apache-2.0
"""An object in every frame: clicked, or made from the key frames around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stn_perception.bags.labelling.interpolation import between_keys
from stn_perception.bags.labelling.labels import LabelledObject
from stn_perception.geometry import FloatArray

Origin = Literal["key", "interpolated", "straight"]


@dataclass(frozen=True, eq=False)
class Label:
    """The corners of an object in one frame and where they come from.

    Attributes:
        corners: 4×2 pixels.
        origin: ``key`` where they were clicked, ``straight`` where they lie on straight lines
            between key frames for want of a way of homographies.
    """

    corners: FloatArray
    origin: Origin


@dataclass(frozen=True, eq=False)
class Track:
    """An object in all frames.

    Attributes:
        labels: By the number of the frame; frames without a label are absent.
        folded: Frames between key frames that have no label, since no outline leads through.
    """

    labels: dict[int, Label]
    folded: tuple[int, ...]


def track_of(item: LabelledObject, stamps_ns: Sequence[int]) -> Track:
    """The object in all frames of a recording.

    Args:
        item: The object.
        stamps_ns: Of all frames, increasing; the path is one in time, not in frames.
    """
    labels: dict[int, Label] = {
        frame: Label(key.corners, "key") for frame, key in item.keys.items()
    }
    folded: list[int] = []
    for span in item.spans():
        frames = [n for n in range(span[0] + 1, span[-1]) if n not in item.keys]
        if not frames:
            continue
        start = stamps_ns[span[0]]
        between = between_keys(
            _seconds([stamps_ns[n] for n in span], start),
            np.array([item.keys[n].corners for n in span]),
            _seconds([stamps_ns[n] for n in frames], start),
        )
        for index, frame in enumerate(frames):
            if between.exists[index]:
                origin: Origin = "straight" if between.straight[index] else "interpolated"
                labels[frame] = Label(between.corners[index], origin)
            else:
                folded.append(frame)
    return Track(labels, tuple(folded))


def runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each unbroken run of numbers.

    Args:
        numbers: Increasing.
    """
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _seconds(stamps_ns: Sequence[int], start_ns: int) -> FloatArray:
    return np.array([(stamp - start_ns) / 1e9 for stamp in stamps_ns])
