# SPDX-License-Identifier: Apache-2.0
"""What a network learns from: a strategy turns its output and the labels into one loss."""

from stn_perception.training.batch import StepResult
from stn_perception.training.strategies.base import Strategy, strategy_for
from stn_perception.training.strategies.corner_order import symmetric_error
from stn_perception.training.strategies.supervised import Supervised

__all__ = [
    "StepResult",
    "Strategy",
    "Supervised",
    "strategy_for",
    "symmetric_error",
]
