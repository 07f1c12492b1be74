# SPDX-License-Identifier: Apache-2.0
"""The configuration of one training run, read from YAML and checked as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from stn_perception.training.crops import CropSettings
from stn_perception.training.labels.config import WeakConfig
from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.road_signs.config import SignsConfig
from stn_perception.training.scenes import QuadSceneSettings
from stn_perception.training.strategies.unsupervised_config import UnsupervisedConfig
from stn_perception.training.tabletop.config import TabletopConfig

_STRICT = ConfigDict(frozen=True, extra="forbid")

TaskName = Literal["quads", "tabletop", "signs", "bag"]
StrategyName = Literal["supervised", "weak", "unsupervised"]

# What each task's labels, or their absence, allow.
STRATEGIES: dict[TaskName, tuple[StrategyName, ...]] = {
    "quads": ("supervised", "weak"),
    "tabletop": ("supervised",),
    "signs": ("supervised",),
    "bag": ("unsupervised",),
}


class ConfigError(ValueError):
    """A configuration that cannot be trained with; the message is one sentence."""


class SceneConfig(BaseModel):
    """The generated scenes.

    Attributes:
        count: how many; whole thousands.
        folder: where they are kept between runs, relative to the working directory.
        workers: processes that draw them.
        min_side_px, max_side_px: the longer side of the object's bounding box.
        max_aspect: the object's width over height, or its inverse.
        box_jitter: standard deviation of each edge of the given box, as a share of its side.
        extra_grids: share of objects that are made ruled grids beyond those drawn by chance.
        frame_ends: share of pictures that end in black just outside the object.
        frame_ends_in_print: the same share where the object is printed on a larger sheet.
        matched_tones: share of objects on a desk of nearly their own tone.
        min_edge_contrast: gray levels by which the picture changes across the weakest edge.
    """

    model_config = _STRICT

    count: int = Field(default=200_000, ge=1000, le=5_000_000, multiple_of=1000)
    folder: Path = Path("build/scenes")
    workers: int = Field(default=2, ge=1, le=256)
    min_side_px: float = Field(default=20.0, ge=8.0)
    max_side_px: float = Field(default=120.0, le=400.0)
    max_aspect: float = Field(default=3.0, ge=1.0, le=6.0)
    box_jitter: float = Field(default=0.025, ge=0.0, le=0.2)
    extra_grids: float = Field(default=0.0, ge=0.0, le=1.0)
    frame_ends: float = Field(default=0.07, ge=0.0, le=1.0)
    frame_ends_in_print: float = Field(default=0.3, ge=0.0, le=1.0)
    matched_tones: float = Field(default=0.0, ge=0.0, le=1.0)
    min_edge_contrast: float = Field(default=9.0, ge=0.0, le=255.0)

    @model_validator(mode="after")
    def _check_sides(self) -> SceneConfig:
        if self.min_side_px >= self.max_side_px:
            raise ValueError(
                f"min_side_px is {self.min_side_px}, expected less than max_side_px "
                f"({self.max_side_px})"
            )
        return self

    @property
    def settings(self) -> QuadSceneSettings:
        """The part of these that the generator takes."""
        return QuadSceneSettings(
            min_side_px=self.min_side_px,
            max_side_px=self.max_side_px,
            max_aspect=self.max_aspect,
            box_jitter=self.box_jitter,
            extra_grids=self.extra_grids,
            frame_ends=self.frame_ends,
            frame_ends_in_print=self.frame_ends_in_print,
            matched_tones=self.matched_tones,
            min_edge_contrast=self.min_edge_contrast,
        )


class NetworkConfig(BaseModel):
    """The localization network of the task ``quads``.

    Attributes:
        input_size: side of the crops.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the crop.
        edge_width: features of the edge refiner behind the heat maps, which are then frozen and
            come from ``initial``; 0 for none.
    """

    model_config = _STRICT

    input_size: int = Field(default=64, ge=32, le=256, multiple_of=16)
    widths: tuple[int, int, int, int] = (16, 32, 48, 64)
    edge_width: int = Field(default=0, ge=0, le=1024)


class OptimizationConfig(BaseModel):
    """How the weights are fitted.

    Attributes:
        epochs: a checkpoint is written after each.
        steps_per_epoch: batches in one.
        batch_size: crops per batch.
        learning_rate: peak of a one-cycle schedule.
        warmup_share: share of all steps on which the rate rises.
        weight_decay: of AdamW.
        average_decay: of the running average of the weights, which is what is exported.
        gradient_clip: norm above which gradients are scaled down.
        precision: of the arithmetic; bfloat16 is nearly twice as fast on CPUs that have it.
        devices: accelerators, or processes of the CPU, on each machine; each takes a whole batch.
        num_nodes: machines.
        distributed: Lightning's name of how several devices work together (``ddp``,
            ``ddp_spawn``, ``fsdp``, …); ``auto`` chooses.
        threads: of the arithmetic; 0 leaves the library's choice.
        loader_workers: processes that cut crops; 0 cuts them in the training process.
    """

    model_config = _STRICT

    epochs: int = Field(default=60, ge=1)
    steps_per_epoch: int = Field(default=400, ge=1)
    batch_size: int = Field(default=128, ge=2)
    learning_rate: float = Field(default=3e-3, gt=0.0, le=1.0)
    warmup_share: float = Field(default=0.05, ge=0.0, le=0.9)
    weight_decay: float = Field(default=1e-4, ge=0.0)
    average_decay: float = Field(default=0.999, ge=0.0, lt=1.0)
    gradient_clip: float = Field(default=1.0, gt=0.0)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    devices: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto"
    num_nodes: int = Field(default=1, ge=1)
    distributed: str = Field(default="auto", pattern=r"^[a-z0-9_]+$")
    threads: int = Field(default=0, ge=0)
    loader_workers: int = Field(default=1, ge=0)


class TrainingConfig(BaseModel):
    """One training run.

    Attributes:
        name: of the model; goes onto the card.
        description: of the model; goes onto the card.
        task: what it learns.
        strategy: from which truth it learns.
        seed: of scenes, crops and weights.
        device: ``auto`` takes an accelerator when there is one.
        initial: checkpoint whose averaged weights are the start, or none.
        refinement_steps: how many steps the card recommends.
        scenes, crops, network: of the task ``quads``.
        tabletop, signs, bag: of the task of that name.
        weak, unsupervised: of the strategy of that name.
    """

    model_config = _STRICT

    name: str = Field(min_length=1, pattern=r"^[a-z0-9_]+$")
    version: str = "1"
    description: str = ""
    task: TaskName = "quads"
    strategy: StrategyName = "supervised"
    seed: int = Field(default=1, ge=0)
    device: Literal["auto", "cpu", "gpu"] = "auto"
    initial: Path | None = None
    refinement_steps: int = Field(default=2, ge=0, le=8)
    scenes: SceneConfig = SceneConfig()
    crops: CropSettings = CropSettings()
    network: NetworkConfig = NetworkConfig()
    tabletop: TabletopConfig | None = None
    signs: SignsConfig | None = None
    bag: BagConfig | None = None
    weak: WeakConfig = WeakConfig()
    unsupervised: UnsupervisedConfig = UnsupervisedConfig()
    optimization: OptimizationConfig = OptimizationConfig()

    @model_validator(mode="after")
    def _check_strategy(self) -> TrainingConfig:
        known = STRATEGIES[self.task]
        if self.strategy not in known:
            raise ValueError(
                f"strategy is {self.strategy!r}, expected {' or '.join(known)} for the task "
                f"{self.task}"
            )
        if self.network.edge_width and self.strategy != "supervised":
            raise ValueError(
                f"network.edge_width is {self.network.edge_width} with the strategy "
                f"{self.strategy}, expected supervised: the refiner needs exact corners"
            )
        if self.network.edge_width and self.initial is None:
            raise ValueError(
                f"network.edge_width is {self.network.edge_width} without an initial checkpoint, "
                "expected one of the same network with edge_width 0: the refiner learns from its "
                "errors"
            )
        return self


def load_config(path: Path) -> TrainingConfig:
    """Read and check a training configuration.

    Raises:
        ConfigError: the file is missing, is no YAML mapping, or a value in it is wrong; the
            message names the value and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the training configuration {path}: {error}") from error
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        sentence = " ".join(str(error).split())
        raise ConfigError(f"{path} is not valid YAML: {sentence}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds {type(values).__name__}, expected a mapping of settings")
    try:
        return TrainingConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(error)}") from error


def _sentence(error: ValidationError) -> str:
    """Return what the first wrong value is and what was expected."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "value_error":
        # One of our own checks across several values; its text names them.
        reason = str(first["msg"]).removeprefix("Value error, ")
        return f"{where}: {reason}" if where else reason
    return f"{where or 'the configuration'} is {first.get('input')!r}: {first['msg']}"
