# SPDX-License-Identifier: Apache-2.0
"""Pictures from the air with oriented labels (HIT-UAV's layout), for scoring."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.photographs import PhotographError
from stn_perception.training.tabletop.crops import detection
from stn_perception.training.tabletop.oriented import OrientedBox, Points
from stn_perception.training.tabletop.sample import BoxSample

ANNOTATIONS, IMAGES = "annotations", "images"
KINDS = {"Car": "cars", "Bicycle": "bicycles"}


def aerial_folder(folder: Path) -> Path:
    """Return the folder or the one in it that holds ``annotations`` and ``images``.

    Raises:
        PhotographError: none does.
    """
    for place in [folder, *sorted(p for p in folder.glob("*") if p.is_dir())]:
        if (place / ANNOTATIONS).is_dir() and (place / IMAGES).is_dir():
            return place
    raise PhotographError(
        f"{folder} holds no pictures from the air, expected the folders {ANNOTATIONS} and {IMAGES}"
    )


def read_aerial(folder: Path, seed: int) -> dict[str, list[BoxSample]]:
    """Read labelled cars and bicycles; the detection is the upright box round the label.

    Labels are oriented boxes: centre, width and height in pixels, angle in radians from x towards
    y, without front or back. Objects that the frame cuts are left out: their label is of the part
    that shows.

    Args:
        folder: with ``annotations`` (XML) and ``images``, or the folder above it.
        seed: of the detections' errors.

    Returns:
        Samples of ``cars`` and of ``bicycles``.

    Raises:
        PhotographError: nothing usable is there, or a picture cannot be read.
    """
    place = aerial_folder(folder)
    rows: dict[str, list[BoxSample]] = {name: [] for name in KINDS.values()}
    for number, path in enumerate(sorted((place / ANNOTATIONS).glob("*.xml"))):
        pixels = _picture(place / IMAGES / f"{path.stem}.jpg")
        found = [o for o in ElementTree.parse(path).getroot().iter("object") if _is_scored(o)]
        for index, element in enumerate(found):
            truth = _box(element, path)
            rng = np.random.default_rng([seed, 13, number, index])
            box = detection(rng, truth.corners, truth.corners, truth, 1.0)
            name = KINDS[str(element.findtext("name"))]
            rows[name].append(BoxSample(pixels, truth, box, 0.0, name))
    if not any(rows.values()):
        raise PhotographError(f"{place} holds no labelled {' or '.join(KINDS)}, expected some")
    return rows


def _is_scored(element: ElementTree.Element) -> bool:
    return element.findtext("name") in KINDS and element.findtext("truncated") != "1"


def _picture(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise PhotographError(f"cannot read the labelled picture {path}")
    return np.asarray(pixels, dtype=np.uint8)


def _box(element: ElementTree.Element, path: Path) -> OrientedBox:
    try:
        x, y, width, height, angle = (
            float(str(element.findtext(f"robndbox/{key}")))
            for key in ("cx", "cy", "w", "h", "angle")
        )
    except ValueError as error:
        raise PhotographError(f"{path} has a label that is no oriented box: {error}") from error
    if width < height:
        width, height, angle = height, width, angle + np.pi / 2
    along: Points = np.array([np.cos(angle), np.sin(angle)])
    across: Points = np.array([-along[1], along[0]])
    centre = np.array([x, y])
    return OrientedBox(centre, along * width / 2, across * height / 2, width / height)
