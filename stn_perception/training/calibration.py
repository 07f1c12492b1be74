# SPDX-License-Identifier: Apache-2.0
"""Make the predicted standard deviation mean what it says."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.model_card import ModelCard

# The share of a normal distribution within one standard deviation.
WITHIN_ONE_SIGMA = 0.6827

# Another seed than training's and any score's.
CALIBRATION_SEED = 991


def scale_deviations(
    network: nn.Module,
    card: ModelCard,
    in_sigmas_of: Callable[[ModelArchive], NDArray[np.float64]],
) -> float:
    """Scale a network's standard deviations in place so that 1 σ holds 68.27 % of its errors.

    Args:
        network: with a parameter ``log_variance_shift``; in evaluation mode, not folded.
        card: as it will be written.
        in_sigmas_of: measures the network on held-out samples, and returns the absolute errors
            in the standard deviations that it predicts for them.

    Returns:
        The factor on every standard deviation.

    Raises:
        ValueError: the network predicts no variance.
    """
    archive = ModelArchive(network, card, torch.device("cpu"), Path(), "torchscript")
    factor = one_sigma_factor(in_sigmas_of(archive), card.name)
    with torch.no_grad():
        network.get_parameter("log_variance_shift").add_(2 * math.log(factor))
    return factor


def one_sigma_factor(in_sigmas: NDArray[np.float64], model: str) -> float:
    """Return the factor on every standard deviation that makes 1 σ hold 68.27 % of the errors.

    Args:
        in_sigmas: absolute errors in predicted standard deviations, of any shape.
        model: its name, for the message.

    Raises:
        ValueError: there are none.
    """
    if in_sigmas.size == 0:
        raise ValueError(f"the model {model} predicts no variance to calibrate")
    return float(np.quantile(in_sigmas, WITHIN_ONE_SIGMA))
