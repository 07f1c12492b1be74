# SPDX-License-Identifier: Apache-2.0
"""Scenes with what was found in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from stn_perception.stn import scaled_about_center
from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.view_sheet import GREEN, ORANGE, Tile, tile, write_sheet
from stn_perception.studies.localize.boxes import best_factor, boxes_of
from stn_perception.studies.localize.lesson import VALIDATION_COUNT
from stn_perception.studies.localize.scene_kind import SceneKind, Scenes
from stn_perception.studies.localize.transformer_network import TransformerClassifier

_COUNT = 10


def write_picture(
    networks: Sequence[tuple[SceneKind, nn.Module, nn.Module | None]], path: Path
) -> None:
    """Write test scenes, the truth orange and the box green.

    Above the transformer's, below them its views, then the sliding window's; one kind of scenes
    after the other.

    Args:
        networks: For each kind a trained `TransformerClassifier`, and a `WindowClassifier`, whose
            row is left out where there is none.
        path: Of the JPEG.

    Raises:
        StudyError: There is no network.
    """
    if not networks:
        raise StudyError("there are no weights of a transformer of seed 0 to draw.")
    rows = []
    for kind, transformer, windows in networks:
        assert isinstance(transformer, TransformerClassifier)
        scenes = kind.fixed("test", _COUNT)
        with torch.no_grad():
            views = kind.shown(transformer.transformer(scenes.images))
        rows += [_boxed(transformer, kind, scenes), [tile(view[0]) for view in views]]
        if windows is not None:
            rows.append(_boxed(windows, kind, scenes))
    write_sheet(path, rows)


def _boxed(network: nn.Module, kind: SceneKind, scenes: Scenes) -> list[Tile]:
    validation = kind.fixed("validation", VALIDATION_COUNT)
    factor = best_factor(boxes_of(network, validation), validation)
    boxes = scaled_about_center(boxes_of(network, scenes), factor)
    return [
        tile(image[0], (truth, ORANGE), (box, GREEN))
        for image, truth, box in zip(kind.shown(scenes.images), scenes.truth, boxes, strict=True)
    ]
