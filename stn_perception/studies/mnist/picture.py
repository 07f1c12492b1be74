# SPDX-License-Identifier: Apache-2.0
"""Distorted digits, and below them what the host sees of them through its transformer."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.weights import read_weights, weights_path
from stn_perception.studies.mnist.lesson import fixed_set
from stn_perception.studies.mnist.networks import digit_network
from stn_perception.studies.mnist.rows import ROWS, MnistRow

_COLUMNS, _TILE_PX, _GAP_PX = 16, 56, 10


def write_picture(weights: Path, path: Path) -> None:
    """Write a JPEG with two lines for each trained transformer, seed 0, digits of validation.

    Args:
        weights: Folder of the trained networks.
        path: Where, whole or not at all.

    Raises:
        StudyError: No transformer is trained.
    """
    rows = [
        row for row in ROWS.values() if row.family and weights_path(weights, row.name, 0).exists()
    ]
    if not rows:
        raise StudyError(f"{weights} holds no network with a transformer to draw.")
    drawing = np.vstack([_lines(row, weights_path(weights, row.name, 0)) for row in rows])
    write_whole_file(path, jpeg(drawing, 80))


def _lines(row: MnistRow, weights: Path) -> NDArray[np.uint8]:
    network = digit_network(row)
    read_weights(weights, network)
    digits = fixed_set("validation", row.kind)
    # The classes in order, so that equal digits stand side by side.
    shown = torch.argsort(digits.labels[: 4 * _COLUMNS], stable=True)[::4]
    images = digits.digits.images[shown]
    with torch.no_grad():
        views = network.eval().seen(images)
    lines = np.vstack([_line(images), _line(views)])
    text = np.zeros((lines.shape[0] + _GAP_PX + 14, lines.shape[1]), np.uint8)
    text[-lines.shape[0] :] = lines
    cv2.putText(text, row.name, (4, _GAP_PX + 6), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 200, 1)
    return text


def _line(images: Tensor) -> NDArray[np.uint8]:
    pictures = (images[:, 0].clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    tiles = [
        cv2.resize(p, (_TILE_PX - 2, _TILE_PX - 2), interpolation=cv2.INTER_AREA) for p in pictures
    ]
    return np.hstack([np.pad(tile, 1, constant_values=90) for tile in tiles])
