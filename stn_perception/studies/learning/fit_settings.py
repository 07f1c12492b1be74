# SPDX-License-Identifier: Apache-2.0
"""How long and how fast a study's network learns."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FitSettings(BaseModel):
    """The optimisation of one network; a network and its peer without a transformer share it.

    Attributes:
        steps: Optimiser steps in all.
        batch_size: Samples of a step.
        learning_rate: At its highest: AdamW on a one-cycle schedule.
        localization_factor: The localization network's rate as a share of `learning_rate`.
        weight_decay: AdamW's.
        warmup_share: Share of the steps in which the rate rises.
        average_decay: Of the running average of the weights, which is what is kept.
        gradient_clip: Largest norm of a gradient.
        device: As PyTorch and Lightning both call it: cpu or cuda.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=1)
    batch_size: int = Field(default=128, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)
    localization_factor: float = Field(default=0.1, gt=0, le=1)
    weight_decay: float = Field(default=1e-4, ge=0)
    warmup_share: float = Field(default=0.05, ge=0, lt=1)
    average_decay: float = Field(default=0.999, ge=0, lt=1)
    gradient_clip: float = Field(default=5.0, gt=0)
    device: str = "cpu"
