# SPDX-License-Identifier: Apache-2.0
"""Scenes with what was found in them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from stn_perception.stn import scaled_about_center
from stn_perception.studies.learning.view_sheet import GREEN, ORANGE, Tile, tile, write_sheet
from stn_perception.studies.localize.boxes import best_factor, boxes_of
from stn_perception.studies.localize.lesson import VALIDATION_COUNT
from stn_perception.studies.localize.scenes import Scenes, fixed_scenes
from stn_perception.studies.localize.transformer_network import TransformerClassifier

_COUNT = 10


def write_picture(transformer: nn.Module, windows: nn.Module | None, path: Path) -> None:
    """Write test scenes, the truth orange and the box green.

    Above the transformer's, in the middle its views, below the sliding window's.

    Args:
        transformer: A trained `TransformerClassifier`.
        windows: A trained `WindowClassifier`; its row is left out where there is none.
        path: Of the JPEG.
    """
    assert isinstance(transformer, TransformerClassifier)
    scenes = fixed_scenes("test", _COUNT)
    with torch.no_grad():
        views = transformer.transformer(scenes.images)
    rows = [_boxed(transformer, scenes), [tile(view[0]) for view in views]]
    if windows is not None:
        rows.append(_boxed(windows, scenes))
    write_sheet(path, rows)


def _boxed(network: nn.Module, scenes: Scenes) -> list[Tile]:
    validation = fixed_scenes("validation", VALIDATION_COUNT)
    factor = best_factor(boxes_of(network, validation), validation)
    boxes = scaled_about_center(boxes_of(network, scenes), factor)
    return [
        tile(image[0], (truth, ORANGE), (box, GREEN))
        for image, truth, box in zip(scenes.images, scenes.truth, boxes, strict=True)
    ]
