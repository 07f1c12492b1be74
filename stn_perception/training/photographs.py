# SPDX-License-Identifier: Apache-2.0
"""Real photographs with labelled quadrilaterals, for scoring."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.classical import clockwise
from stn_perception.training.scenes import LabelledSample
from stn_perception.training.scenes.given_box import given_box

OUTLINES = "outlines.csv"
TAGS = "tag_corners.json"


class PhotographError(ValueError):
    """A folder without usable labelled photographs; the message is one sentence."""


def read_photographs(
    folder: Path, rng: np.random.Generator, box_jitter: float, least_side_px: float = 40.0
) -> dict[str, list[LabelledSample]]:
    """Read labelled photographs from a folder or from the folders in it.

    Two layouts are known: ``outlines.csv`` (filepath, then x and y of four corners) beside a
    folder ``images``, and ``tag_corners.json`` (``images``: file name to a list of ``corners``)
    beside the pictures. Outlined pictures are also turned by random angles, as rows of their own.

    Args:
        folder: where to look.
        rng: for box errors and angles.
        box_jitter: standard deviation of each edge of the box as a share of its side.
        least_side_px: smaller quadrilaterals of ``tag_corners.json`` are left out.

    Returns:
        Samples by row name.

    Raises:
        PhotographError: nothing usable is there, or a listed picture cannot be read.
    """
    rows: dict[str, list[LabelledSample]] = {}
    for place in [folder, *sorted(p for p in folder.glob("*") if p.is_dir())]:
        if (place / OUTLINES).is_file():
            upright = list(_outlined(place))
            turned = [_turned(p, c, rng.uniform(0, 2 * np.pi)) for p, c in upright]
            for name, pairs in ((place.name, upright), (f"{place.name} turned", turned)):
                rows[name] = [_sample(p, c, rng, box_jitter, name) for p, c in pairs]
        if (place / TAGS).is_file():
            name = f"{place.name} tags"
            rows[name] = [
                _sample(p, c, rng, box_jitter, name) for p, c in _tags(place, least_side_px)
            ]
    if not any(rows.values()):
        raise PhotographError(
            f"{folder} holds no labelled photographs, expected {OUTLINES} or {TAGS} in it or in "
            "the folders in it"
        )
    return rows


Picture = NDArray[np.uint8]
Corners = NDArray[np.float64]


def _read(path: Path) -> Picture:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise PhotographError(f"cannot read the labelled photograph {path}")
    return np.asarray(pixels, dtype=np.uint8)


def _outlined(place: Path) -> Iterator[tuple[Picture, Corners]]:
    with open(place / OUTLINES, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            values = [float(row[f"p{i}_{axis}"]) for i in range(1, 5) for axis in "xy"]
            path = place / row["filepath"]
            path = path if path.is_file() else place / "images" / row["filepath"]
            yield _read(path), clockwise(np.array(values).reshape(4, 2))


def _tags(place: Path, least_side_px: float) -> Iterator[tuple[Picture, Corners]]:
    content = json.loads((place / TAGS).read_text(encoding="utf-8"))
    for name, tags in sorted(content["images"].items()):
        picture = _read(place / name)
        for tag in tags:
            corners = np.array(tag["corners"], dtype=np.float64)
            sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
            if sides.mean() >= least_side_px:
                yield picture, clockwise(corners)


def _turned(picture: Picture, corners: Corners, angle_rad: float) -> tuple[Picture, Corners]:
    """Turn a picture about its middle; the new frame holds all of it."""
    height, width = picture.shape
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    new_width = int(np.ceil(abs(cos) * width + abs(sin) * height))
    new_height = int(np.ceil(abs(sin) * width + abs(cos) * height))
    turn = np.array([(cos, -sin), (sin, cos)])
    old, new = np.array([width - 1, height - 1]) / 2, np.array([new_width - 1, new_height - 1]) / 2
    matrix = np.column_stack([turn, new - turn @ old])
    turned = cv2.warpAffine(picture, matrix, (new_width, new_height), flags=cv2.INTER_LINEAR)
    return np.asarray(turned, dtype=np.uint8), corners @ turn.T + matrix[:, 2]


def _sample(
    picture: Picture, corners: Corners, rng: np.random.Generator, jitter: float, kind: str
) -> LabelledSample:
    return LabelledSample(picture, corners, given_box(rng, corners, jitter), kind)
