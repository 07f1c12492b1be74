# SPDX-License-Identifier: Apache-2.0
"""How the strategy ``unsupervised`` weighs what it learns from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class UnsupervisedConfig(BaseModel):
    """Weights of the losses that need no transforms.

    Attributes:
        equivariance: the canonical view must not change under known warps.
        reconstruction: the view must look like the template.
        classification: the view must be told apart by a classifier.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    equivariance: float = Field(default=1.0, ge=0.0)
    reconstruction: float = Field(default=1.0, ge=0.0)
    classification: float = Field(default=0.0, ge=0.0)
