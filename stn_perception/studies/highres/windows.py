# SPDX-License-Identifier: Apache-2.0
"""Windows of frames, and pixels as networks take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from stn_perception.studies.highres.backdrops import HEIGHT_PX, WIDTH_PX, Gray


def in_unit(pictures: Sequence[Gray]) -> Tensor:
    """Return gray pictures of one size as N×1×h×w in [0, 1]."""
    return torch.from_numpy(np.stack(pictures)).unsqueeze(1).float() / 255


def window_corner(
    center_px: tuple[float, float], side_px: int, factor: int = 1
) -> tuple[int, int]:
    """Return (x, y) of the first pixel of the square window about a place, moved into the frame.

    Args:
        center_px: (x, y) in frame pixels.
        side_px: Of the window, pixels of the shrunk frame.
        factor: By which the frame is shrunk.
    """
    x, y = (
        min(max(round(at / factor - side_px / 2), 0), size // factor - side_px)
        for at, size in zip(center_px, (WIDTH_PX, HEIGHT_PX), strict=True)
    )
    return x, y


def numpy_generator(generator: torch.Generator) -> np.random.Generator:
    """Return NumPy's generator, seeded by the next number of torch's."""
    return np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
