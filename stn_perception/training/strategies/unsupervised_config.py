# SPDX-License-Identifier: Apache-2.0
"""How the strategy ``unsupervised`` weighs what it learns from."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class UnsupervisedConfig(BaseModel):
    """How much each loss without labelled transforms counts; 0 leaves one out.

    Attributes:
        equivariance: the canonical views of two warps of one crop must be the same.
        template: the canonical view must look like the template, which is learned along.
        classes: the view must tell the object's class.
        framing: the view covers the box on the average; holds what the others leave open.
        template_image: picture of the canonical view to start from; none learns it from the bag.
        template_fixed: keep the given picture as it is.
        turns: orientations in which each crop is compared with a first template.
        search: how much the best of these counts as a target at the start of the run.
        search_share: share of the run at whose end it counts no more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    equivariance: float = Field(default=1.0, ge=0.0)
    template: float = Field(default=1.0, ge=0.0)
    classes: float = Field(default=0.0, ge=0.0)
    framing: float = Field(default=0.5, ge=0.0)
    template_image: Path | None = None
    template_fixed: bool = False
    turns: int = Field(default=36, ge=4, le=72)
    search: float = Field(default=1.0, ge=0.0)
    search_share: float = Field(default=0.5, ge=0.0, le=1.0)
