# SPDX-License-Identifier: Apache-2.0
"""The power of the predicted standard deviations that fits how errors grow with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.calibration import WITHIN_ONE_SIGMA

_BINS = 10
# A power beyond these says that the deviations predict nothing; it is then no calibration.
_LOWEST, _HIGHEST = 0.5, 2.0


def deviation_power(errors: NDArray[np.float64], sigmas: NDArray[np.float64]) -> float:
    """Return the power p for which errors are proportional to sigma to the p.

    A network that learns to tell hard from easy predicts too little of the difference: its small
    deviations are too large and its large ones too small, and no factor mends both. In bins of
    equal count by predicted deviation, the error that 68.27 % stay within is set against the
    median deviation; the slope of the line through their logarithms is the power.

    Args:
        errors: absolute errors, of any shape.
        sigmas: standard deviations predicted for them, positive, of the same shape and unit.

    Returns:
        The power, between a half and two.

    Raises:
        ValueError: fewer errors than bins.
    """
    if errors.size < _BINS:
        raise ValueError(f"got {errors.size} errors, expected at least {_BINS} to fit a power")
    order = np.argsort(sigmas, axis=None)
    predicted, measured = [], []
    for part in np.array_split(order, _BINS):
        predicted.append(np.median(sigmas.ravel()[part]))
        measured.append(np.quantile(errors.ravel()[part], WITHIN_ONE_SIGMA))
    x, y = np.log(predicted), np.log(np.maximum(measured, 1e-9))
    spread = x - x.mean()
    if not (spread**2).sum() > 0:
        return 1.0
    return float(np.clip((spread * y).sum() / (spread**2).sum(), _LOWEST, _HIGHEST))
