# SPDX-License-Identifier: Apache-2.0
"""One frame's boxes through the canonicalizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.quads import view_quad
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import Prediction
from stn_perception.runtime.settings import PipelineSettings

IDENTITY = [[1.0, 0, 0], [0, 1, 0]]
MakeArchive = Callable[..., ModelArchive]


def gray_frame(width: int = 320, height: int = 240, seed: int = 0) -> Frame:
    pixels = np.random.default_rng(seed).integers(1, 256, (height, width), dtype=np.uint8)
    return Frame(pixels, "gray")


def region(
    x: float, y: float, width: float, height: float, angle: float = 0.0, id: str = ""
) -> Region:
    if angle:
        return Region(OrientedBox(x, y, width, height, angle), id=id)
    return Region(AxisAlignedBox(x, y, width, height), id=id)


def predict(
    archive: ModelArchive, regions: Sequence[Any], frame: Frame | None = None, **settings: Any
) -> Prediction:
    canonicalizer = Canonicalizer(archive, PipelineSettings(**settings), get_backend("opencv"))
    request = FrameRequest("front", frame or gray_frame(), tuple(regions))
    return canonicalizer.predict([request])[0]


def quad_of(prediction: Prediction, place: int = 0) -> np.ndarray:
    transform = prediction.estimates[place].frame_from_view
    return view_quad(transform, prediction.view_width, prediction.view_height)
