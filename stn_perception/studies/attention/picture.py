# SPDX-License-Identifier: Apache-2.0
"""Scenes, and where each way of choosing looks in them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.attention.glimpse_network import VIEW_SHARE
from stn_perception.studies.attention.lesson import scored_scenes
from stn_perception.studies.attention.scenes import SIDE_PX
from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.weights import weights_path

if TYPE_CHECKING:
    from stn_perception.studies.attention.study import AttentionStudy

ROWS = ("glimpses-fixed", "glimpses-reinforce", "glimpses-stn")
_SCENES, _SCALE, _GAP_PX = 8, 2, 4
# The first, second and third glimpse, BGR.
_COLORS = ((80, 80, 255), (80, 220, 80), (255, 160, 60))


def write_picture(study: AttentionStudy, weights: Path, path: Path) -> None:
    """Write a JPEG: a row of scenes for each way that is trained, with its glimpses as frames.

    Args:
        study: Whose networks they are.
        weights: Folder of the trained networks, of seed 0.
        path: Where, whole or not at all.

    Raises:
        StudyError: None is trained yet.
    """
    images = scored_scenes("test").images[:_SCENES]
    rows = []
    for row in ROWS:
        file = weights_path(weights, row, 0)
        if not file.exists():
            continue
        with torch.no_grad():
            centers = study.trained(row, file)(images).centers
        drawn = [_drawn(*pair) for pair in zip(images[:, 0].numpy(), centers.numpy(), strict=True)]
        rows.append(np.hstack(drawn))
    if not rows:
        raise StudyError(f"{weights} has no network of {', '.join(ROWS)}, of seed 0.")
    write_whole_file(path, jpeg(np.vstack(rows), 85))


def _drawn(image: NDArray[np.float32], centers: NDArray[np.float32]) -> NDArray[np.uint8]:
    side = SIDE_PX * _SCALE
    large = cv2.resize(image, (side, side), interpolation=cv2.INTER_NEAREST)
    scene = np.repeat((large * 255).astype(np.uint8)[..., None], 3, axis=2)
    for color, center in zip(_COLORS, centers, strict=True):
        # Edges of a view, in pixels of the drawing with (0, 0) the first one's centre.
        start, end = (
            [round(float((value + sign * VIEW_SHARE + 1) / 2 * side - 0.5)) for value in center]
            for sign in (-1, 1)
        )
        cv2.rectangle(scene, start, end, color, 1)
    return np.pad(scene, ((0, _GAP_PX), (0, _GAP_PX), (0, 0)), constant_values=255)
