# SPDX-License-Identifier: Apache-2.0
"""Where the transformer looks: frames as it finds the sign in them, and the views it reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.highres.backdrops import shrunk
from stn_perception.studies.highres.frames import Frame
from stn_perception.studies.highres.looking import LOOK_FACTOR, LookingReader
from stn_perception.studies.highres.reading import read_looking
from stn_perception.studies.highres.scoring import held_out

_COUNT, _ENLARGED = 4, 2


def write_views(network: LookingReader, path: Path) -> None:
    """Write a JPEG: left what the localization network sees, right the view, enlarged.

    Args:
        network: Trained, in evaluation mode.
        path: Where, whole or not at all.
    """
    rows = [_row(network, frame) for frame in held_out("test")[:_COUNT]]
    write_whole_file(path, jpeg(np.vstack(rows), 85))


def _row(network: LookingReader, frame: Frame) -> NDArray[np.uint8]:
    pixels = frame.pixels()
    with torch.no_grad():
        reading = read_looking(network, pixels)
    assert reading.view is not None
    small = shrunk(pixels, LOOK_FACTOR)
    seen = cv2.resize(small, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_NEAREST)
    colored = cv2.cvtColor(seen, cv2.COLOR_GRAY2BGR)
    at = tuple(round((x + 0.5) / LOOK_FACTOR * _ENLARGED) for x in reading.center_px)
    cv2.circle(colored, at, 14, (0, 200, 255), 1, cv2.LINE_AA)
    view = np.clip(reading.view[0, 0].numpy() * 255, 0, 255).astype(np.uint8)
    side = len(seen)
    large = cv2.resize(view, (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.hstack([colored, cv2.cvtColor(large, cv2.COLOR_GRAY2BGR)]), np.uint8)
