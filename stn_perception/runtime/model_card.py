# SPDX-License-Identifier: Apache-2.0
"""The card of a model archive: what the network expects, what it means, how it scored."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

TransformFamily = Literal["translation", "similarity", "affine", "projective"]
CropShape = Literal["stretch", "square"]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]
SizePx = Annotated[int, Field(ge=1, le=8192)]

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class TrainingRecord(BaseModel):
    """How the weights came about.

    Attributes:
        data: What the network saw: data sets, generators and their versions.
        command: The command that reproduces the training.
        seed: Seed of every random generator of the run.
        duration_s: Wall time of the run, if it was measured.
        held_out: What was kept from training, to score on.
    """

    model_config = _FROZEN

    data: str = ""
    command: str = ""
    seed: int = 0
    duration_s: float | None = None
    held_out: str = ""


class Score(BaseModel):
    """One measured figure with the command that reproduces it."""

    model_config = _FROZEN

    name: str
    value: FiniteFloat
    unit: str = ""
    samples: int = Field(default=0, ge=0)
    command: str = ""


class ModelCard(BaseModel):
    """Everything about a network that its weights do not say.

    Attributes:
        family: Transform family of theta.
        input_width, input_height: Size of the network's crops, in pixels.
        channels: 1 (gray) or 3 (RGB).
        mean, std: Normalisation of crops in [0, 1]; one value or one per channel.
        crop_shape: ``stretch`` fits the box to the crop; ``square`` keeps its aspect ratio
            by taking the longer side.
        box_margin: Factor on the detection's box before it is cropped.
        box_sigma: Standard deviation of each side of the detection's box, as a share of the
            box's size, where the box is the object's bounding box: it then counts as evidence
            about the corners. 0: the box says nothing.
        refinement_steps: How often the crop is taken again along the predicted view.
        refinement_margin: Factor on the view, about its centre, for those crops.
        view_width, view_height: Output size; 0 means the input's size.
        class_names: Meaning of ``class_logits``.
        symmetry: Number of quarter-turn poses (1, 2 or 4) that look canonical.
        object_size_m: Width and height of the object along the view's x and y, per class.
        weights_sha256: ``archive.weights_sha256`` of the network; empty where unknown.
    """

    model_config = _FROZEN

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1)
    version: str = "0"
    description: str = ""
    license: str = ""
    family: TransformFamily = "affine"
    input_width: SizePx
    input_height: SizePx
    channels: Literal[1, 3] = 3
    mean: tuple[FiniteFloat, ...] = (0.0,)
    std: tuple[PositiveFloat, ...] = (1.0,)
    crop_shape: CropShape = "stretch"
    box_margin: Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False)] = 1.0
    box_sigma: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    refinement_steps: int = Field(default=0, ge=0, le=16)
    refinement_margin: Annotated[float, Field(ge=0.1, le=10, allow_inf_nan=False)] = 1.0
    view_width: int = Field(default=0, ge=0, le=8192)
    view_height: int = Field(default=0, ge=0, le=8192)
    class_names: tuple[str, ...] = ()
    symmetry: Literal[1, 2, 4] = 1
    object_size_m: dict[str, tuple[PositiveFloat, PositiveFloat]] = {}
    training: TrainingRecord = TrainingRecord()
    scores: tuple[Score, ...] = ()
    weights_sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    @model_validator(mode="before")
    @classmethod
    def _fill_view_size(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        filled["view_width"] = filled.get("view_width") or filled.get("input_width")
        filled["view_height"] = filled.get("view_height") or filled.get("input_height")
        return filled

    @model_validator(mode="after")
    def _check_normalisation(self) -> ModelCard:
        for field, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise ValueError(
                    f"{field} has {len(values)} values, expected 1 or {self.channels}, "
                    "one per channel"
                )
        return self
