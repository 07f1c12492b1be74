# SPDX-License-Identifier: Apache-2.0
"""Where the networks look in hidden articles: one strip for each text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.weights import weights_path
from stn_perception.studies.text.network import TextNetwork
from stn_perception.studies.text.tasks import HiddenTopics

if TYPE_CHECKING:
    from stn_perception.studies.text.study import TextStudy

ROWS = ("hidden-gru-stn", "hidden-encoder-stn")
_TEXTS = 12
_WIDTH_PX, _STRIP_PX, _BAR_PX, _GAP_PX = 480, 12, 5, 6
_GROUND, _TRUE, _FOUND = (255, 255, 255), (80, 170, 80), (60, 60, 220)


def write_picture(study: TextStudy, weights: Path, path: Path) -> None:
    """Write a JPEG, a column for each host that is trained.

    Of every text: how much each cell is looked at (dark is much), below it in green where the
    article lies and in red the span that is seen.

    Args:
        study: Whose networks they are.
        weights: Folder of the trained networks, of seed 0.
        path: Where, whole or not at all.

    Raises:
        StudyError: None is trained yet.
    """
    columns = []
    for row in ROWS:
        file = weights_path(weights, row, 0)
        if file.exists():
            network = study.trained(row, file)
            assert isinstance(network, TextNetwork)
            columns.append(
                np.pad(
                    _column(network),
                    ((0, 0), (0, 2 * _GAP_PX), (0, 0)),
                    constant_values=255,
                )
            )
    if not columns:
        raise StudyError(f"{weights} has no network of {' or '.join(ROWS)}, of seed 0.")
    write_whole_file(path, jpeg(np.hstack(columns), 85))


@torch.no_grad()
def _column(network: TextNetwork) -> NDArray[np.uint8]:
    _, texts, truth = HiddenTopics(int(network.fold)).hidden("test")
    spread = torch.linspace(0, len(texts.lengths) - 1, _TEXTS).long()
    read = network(texts.take(spread))
    strips = [
        _strip(row.numpy(), true.numpy(), found.numpy())
        for row, true, found in zip(read.shares, truth[spread], read.theta, strict=True)
    ]
    return np.vstack(strips)


def _strip(
    shares: NDArray[np.float32], true: NDArray[np.float32], found: NDArray[np.float32]
) -> NDArray[np.uint8]:
    height = _STRIP_PX + 2 * _BAR_PX + _GAP_PX
    strip = np.full((height, _WIDTH_PX, 3), _GROUND, np.uint8)
    gray = 255 - 215 * shares / max(float(shares.max()), 1e-6)
    line = cv2.resize(gray[None], (_WIDTH_PX, _STRIP_PX), interpolation=cv2.INTER_NEAREST)
    strip[:_STRIP_PX] = line[..., None].astype(np.uint8)
    for number, (theta, color) in enumerate(((true, _TRUE), (found, _FOUND))):
        start, end = ((theta[1] + side * theta[0] + 1) / 2 * _WIDTH_PX for side in (-1, 1))
        top = _STRIP_PX + number * _BAR_PX
        strip[top : top + _BAR_PX - 1, max(0, round(float(start))) : round(float(end))] = color
    return strip
