# SPDX-License-Identifier: Apache-2.0
"""The labelled road signs and tags in the Duckiebot pictures."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from stn_perception.geometry import transform_points
from stn_perception.training.crops import frame_from_square
from stn_perception.training.photographs import PhotographError
from stn_perception.training.road_signs.catalogue import UNKNOWN, signs_of
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.view_axes import SQUARE

LABELS = Path(__file__).parent / "duckiebot_signs.json"


def _folder_with_pictures(folder: Path, name: str) -> Path:
    for place in (folder, *sorted(p for p in folder.glob("*") if p.is_dir())):
        if (place / name).is_file():
            return place
    raise PhotographError(
        f"{folder} lacks the labelled picture {name}, expected it there or one folder below"
    )


def read_real_signs(folder: Path) -> list[SignSample]:
    """Read every labelled sign and tag, each with its whole picture.

    Args:
        folder: with the pictures, or the folder around it.

    Returns:
        Signs with exact bounding boxes of their artwork; ``kind`` names picture and tag.

    Raises:
        PhotographError: a labelled picture is missing or cannot be read.
    """
    labels = json.loads(LABELS.read_text(encoding="utf-8"))["images"]
    place = _folder_with_pictures(folder, next(iter(labels)))
    samples = []
    for picture, rows in labels.items():
        pixels = cv2.imread(str(place / picture), cv2.IMREAD_COLOR)
        if pixels is None:
            raise PhotographError(f"cannot read the labelled picture {place / picture}")
        rgb = np.asarray(pixels[..., ::-1], dtype=np.uint8, order="C")
        for row in rows:
            corners = np.array(row["corners"], dtype=np.float64)
            outline = SQUARE
            if row["class"] != UNKNOWN:
                outline = signs_of(row["class"])[-1].outline
            shape = transform_points(frame_from_square(corners), outline)
            low, high = shape.min(axis=0), shape.max(axis=0)
            samples.append(
                SignSample(
                    pixels=rgb,
                    corners=corners,
                    outline=shape,
                    box=np.concatenate([(low + high) / 2, high - low]),
                    name=row["class"],
                    symmetry=0 if row["class"] == UNKNOWN else 1,
                    kind=f"{Path(picture).stem}, tag {row['tag']}",
                )
            )
    return samples


def side_px(sample: SignSample) -> float:
    """Return the longer side of a sign's bounding box."""
    return float(np.ptp(sample.outline, axis=0).max())
