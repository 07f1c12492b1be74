# SPDX-License-Identifier: Apache-2.0
"""A contact sheet of the signs in real pictures: crop, upright view, and what was read.

python -m stn_perception.training.road_signs.sheet signs --photographs FOLDER --output FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.road_signs.catalogue import UNKNOWN
from stn_perception.training.road_signs.measuring import (
    Reading,
    box_start,
    is_read,
    is_upright,
    read_signs,
)
from stn_perception.training.road_signs.real_signs import read_real_signs, side_px
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.road_signs.score_rows import UPRIGHT_DEG

Rgb = NDArray[np.uint8]

_TILE = 96
_COLUMNS = 6
_GOOD, _BAD = (40, 160, 70), (210, 40, 40)


def _cut(pixels: Rgb, corners: NDArray[np.float64]) -> Rgb:
    """Sample the square between four corners, brightened to its own range."""
    edge = _TILE - 0.5
    square = np.array([(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), square)
    tile = cv2.warpPerspective(pixels, matrix, (_TILE, _TILE), flags=cv2.INTER_CUBIC)
    return np.asarray(tile * (255 / max(float(tile.max()), 1.0)), dtype=np.uint8)


def _tile(sample: SignSample, reading: Reading, start: NDArray[np.float64], size: int) -> Rgb:
    edge = size - 0.5
    square = np.array([(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge)])
    crop = _cut(sample.pixels, cv2.perspectiveTransform(square[None], start)[0])
    view = np.zeros_like(crop)
    if np.isfinite(reading.corners).all():
        view = _cut(sample.pixels, reading.corners)
    good = is_read(reading, sample) and (
        sample.name == UNKNOWN or is_upright(reading, sample, UPRIGHT_DEG)
    )
    text = np.full((30, 2 * _TILE, 3), 255, np.uint8)
    color = _GOOD if good else _BAD
    said = f"{reading.name} {reading.likelihood:.2f}"
    about = f"is {sample.name}, {side_px(sample):.0f} px"
    for line, y in ((said, 12), (about, 26)):
        cv2.putText(text, line, (2, y), cv2.FONT_HERSHEY_SIMPLEX, 0.38, color, 1, cv2.LINE_AA)
    tile = np.vstack([np.hstack([crop, view]), text])
    return np.asarray(cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=color))


def contact_sheet(archive: ModelArchive, folder: Path, refinement_steps: int) -> Rgb:
    """Draw every labelled sign, the largest first, then the tags that were taken for a sign.

    Args:
        archive: of signs.
        folder: with the labelled pictures.
        refinement_steps: how often to refine.

    Returns:
        RGB, one tile a sign: the crop of its box, its upright view, what was read; green where
        class and turn are right.
    """
    samples = read_real_signs(folder)
    starts = [box_start(sample, archive.card) for sample in samples]
    readings = read_signs(archive, samples, starts, refinement_steps)[-1]
    shown = [
        i
        for i, (reading, sample) in enumerate(zip(readings, samples, strict=True))
        if sample.name != UNKNOWN or not is_read(reading, sample)
    ]
    shown.sort(key=lambda i: (samples[i].name == UNKNOWN, -side_px(samples[i])))
    size = archive.card.input_width
    tiles = [_tile(samples[i], readings[i], starts[i], size) for i in shown]
    while len(tiles) % _COLUMNS:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [np.hstack(tiles[i : i + _COLUMNS]) for i in range(0, len(tiles), _COLUMNS)]
    return np.vstack(rows)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parsed = parser.parse_args()
    archive = ModelArchive.open(parsed.model, device="cpu")
    sheet = contact_sheet(archive, parsed.photographs, archive.card.refinement_steps)
    if not cv2.imwrite(str(parsed.output), sheet[..., ::-1]):
        raise SystemExit(f"cannot write {parsed.output}")


if __name__ == "__main__":
    main()
