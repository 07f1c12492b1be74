# SPDX-License-Identifier: Apache-2.0
"""Small variations of handwriting: more writers for training than MNIST has."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn import control_grid
from stn_perception.studies.digits.drawing import drawn
from stn_perception.studies.digits.transforms import UPRIGHT_PX


def varied(images: Tensor, generator: torch.Generator, noise_px: float = 0.8) -> Tensor:
    """Bend each digit a little: a 4×4 spline whose control points move by normal noise.

    Args:
        images: uint8 N×28×28.
        generator: A CPU one.
        noise_px: Standard deviation of the noise.

    Returns:
        uint8 N×28×28.
    """
    controls = control_grid(4, 4, torch.device("cpu")).float()
    noise = torch.randn(len(images), *controls.shape, generator=generator)
    bent = drawn(images, controls + noise * (noise_px * 2 / UPRIGHT_PX), UPRIGHT_PX)
    return (bent.squeeze(1) * 255).round().to(torch.uint8)
