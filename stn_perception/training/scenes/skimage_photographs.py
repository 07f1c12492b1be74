# SPDX-License-Identifier: Apache-2.0
"""The photographs that come with scikit-image, read from its folder without importing it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def read_photograph(name: str, mode: int) -> NDArray[np.uint8]:
    """Read one of scikit-image's photographs.

    Args:
        name: of the file in scikit-image's ``data`` folder.
        mode: ``cv2.IMREAD_GRAYSCALE`` for uint8 H×W, ``cv2.IMREAD_COLOR`` for uint8 H×W×3, BGR.

    Raises:
        FileNotFoundError: scikit-image or the file in it is not installed.
    """
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "the scenes use scikit-image's photographs: install it (pip install scikit-image)"
        )
    path = Path(spec.origin).parent / "data" / name
    pixels = cv2.imread(str(path), mode)
    if pixels is None:
        raise FileNotFoundError(f"scikit-image has no readable photograph {path}")
    return np.asarray(pixels, dtype=np.uint8)
