# SPDX-License-Identifier: Apache-2.0
"""Sheets of small pictures, with the outline of what a transformer looks at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.stn import corners_from_theta

Tile = NDArray[np.uint8]
Outline = tuple[Tensor, tuple[int, int, int]]

_TILE_PX = 112
_GAP_PX = 4
# Blue, green, red.
GREEN, ORANGE = (80, 200, 80), (60, 120, 255)


def tile(picture: Tensor, *outlines: Outline) -> Tile:
    """Enlarge a gray picture, H×W in 0 to 1, and draw where views of it lie.

    Args:
        picture: Square.
        outlines: picture_from_view, 2×3 or 3×3 in normalised axes, and a colour each.
    """
    gray = (picture.detach().cpu().clamp(0, 1).numpy() * 255).round().astype(np.uint8)
    enlarged = cv2.resize(gray, (_TILE_PX, _TILE_PX), interpolation=cv2.INTER_NEAREST)
    drawn = cv2.cvtColor(enlarged, cv2.COLOR_GRAY2BGR)
    for theta, color in outlines:
        corners = corners_from_theta(theta.detach().cpu().unsqueeze(0))[0].numpy()
        points = np.round((corners + 1) * (_TILE_PX / 2) - 0.5).astype(np.int32)
        cv2.polylines(drawn, [points], True, color, 2, cv2.LINE_AA)
    return np.asarray(drawn, dtype=np.uint8)


def write_sheet(path: Path, rows: Sequence[Sequence[Tile]]) -> None:
    """Write rows of equally many tiles as a JPEG, whole or not at all."""
    height, width = len(rows) * (_TILE_PX + _GAP_PX), len(rows[0]) * (_TILE_PX + _GAP_PX)
    sheet = np.full((height - _GAP_PX, width - _GAP_PX, 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            top, left = i * (_TILE_PX + _GAP_PX), j * (_TILE_PX + _GAP_PX)
            sheet[top : top + _TILE_PX, left : left + _TILE_PX] = one
    write_whole_file(path, jpeg(sheet, 80))
