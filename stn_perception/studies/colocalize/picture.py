# SPDX-License-Identifier: Apache-2.0
"""Where the transformers of all classes look, and the truth."""

from __future__ import annotations

from pathlib import Path

from stn_perception.studies.colocalize.found import views_of
from stn_perception.studies.colocalize.localizers import DigitLocalizers
from stn_perception.studies.colocalize.pictures import CLASSES, class_pictures
from stn_perception.studies.learning.view_sheet import GREEN, ORANGE, Tile, tile, write_sheet

_COUNT = 4


def write_picture(network: DigitLocalizers, path: Path) -> None:
    """Write a column for each class: training pictures, the view green, the truth orange.

    Args:
        network: Trained on cluttered pictures.
        path: Of the JPEG.
    """
    columns = [_column(network, digit) for digit in range(CLASSES)]
    write_sheet(path, list(zip(*columns, strict=True)))


def _column(network: DigitLocalizers, digit: int) -> list[Tile]:
    pictures = class_pictures(digit, True, "train")
    images, truth = pictures.images[:_COUNT], pictures.truth[:_COUNT]
    found = views_of(network.of(digit), images)
    return [
        tile(image[0], (true, ORANGE), (theta, GREEN))
        for image, true, theta in zip(images, truth, found, strict=True)
    ]
