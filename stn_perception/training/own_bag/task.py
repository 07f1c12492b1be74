# SPDX-License-Identifier: Apache-2.0
"""The task of a user's own object: crops of a recording, two known warps of each, no labels."""

from __future__ import annotations

import sys
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stn_perception.stn.compose import compose, invert
from stn_perception.stn.object_network import ObjectNetwork
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.batch import Batch, StepResult, batch_of
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.own_bag.alignment import FirstGuesses, first_guesses
from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.own_bag.crop_pool import CropPool
from stn_perception.training.own_bag.reading import OwnCrops, read_own_crops
from stn_perception.training.own_bag.warps import cut_upright, random_crop, random_warp
from stn_perception.training.pictures import crops_beside_views
from stn_perception.training.strategies.unsupervised import Unsupervised
from stn_perception.training.strategies.unsupervised_config import UnsupervisedConfig
from stn_perception.training.strategies.unsupervised_losses import (
    VIEW_OF_BOX,
    equivariance_errors,
)
from stn_perception.training.tasks import Report

_HELD_OUT_CROPS = 256
# A view this much larger than the network's crop shows what the frame has to show.
_VIEW_FACTOR = 2


class BagTask:
    """The canonical view of the object in a recording.

    Args:
        config: of the run.
        crops: what the recording holds, where it is already read.

    Raises:
        ConfigError: the configuration names no recording, classes without their loss or a loss
            without its classes, or is to keep a template that is not given.
    """

    def __init__(self, config: TrainingConfig, crops: OwnCrops | None = None) -> None:
        if config.bag is None:
            raise ConfigError("bag is missing, expected bag.path with the recording to train on")
        _check(config.bag, config.unsupervised)
        self.config = config
        self.bag: BagConfig = config.bag
        self.strategy = Unsupervised(config.unsupervised)
        self._crops = crops
        self._guesses: FirstGuesses | None = None

    def network(self) -> nn.Module:
        """Return the untrained network; once prepared, with the first template."""
        settings = self.config.network
        network = ObjectNetwork(
            1,
            settings.input_size,
            settings.widths,
            self.bag.family,
            start=VIEW_OF_BOX / self.bag.box_margin,
            classes=len(self.bag.class_names),
        )
        if self._guesses is not None:
            size = network.template_size
            for index, template in enumerate(self._guesses.templates):
                enlarged = cv2.resize(template, (size, size), interpolation=cv2.INTER_CUBIC)
                with torch.no_grad():
                    network.template[index, 0] = torch.from_numpy(enlarged / enlarged.std() / 4)
        return network

    def read(self, report: Report = lambda done, total: None) -> None:
        """Read and check the recording, once, and say what was kept.

        Raises:
            OwnBagError: it cannot be trained on.
        """
        if self._crops is None:
            self._crops = read_own_crops(self.config, report)
            print(self._crops.sentence, file=sys.stderr)

    def prepare(self, report: Report) -> None:
        """Read the recording and align its crops roughly, once."""
        self.read(report)
        if self._guesses is None:
            settings = self.config.unsupervised
            self._guesses = first_guesses(
                self.crops.training,
                self.bag,
                settings.turns,
                self.crops.given_template,
            )

    @property
    def crops(self) -> OwnCrops:
        """What the recording holds.

        Raises:
            RuntimeError: the task is not prepared.
        """
        if self._crops is None:
            raise RuntimeError("the task bag has no crops yet, expected prepare() before it")
        return self._crops

    def batch(self, step: int, rank: int) -> Batch:
        """Return two warps of each of the step's crops."""
        config, pool = self.config, self.crops.training
        assert self._guesses is not None
        rng = np.random.default_rng([config.seed, 100 + rank, step])
        chosen = rng.integers(0, len(pool), max(1, config.optimization.batch_size // 2))
        indices = np.concatenate([chosen, chosen])
        size, family = config.network.input_size, self.bag.family
        cuts = [
            random_crop(rng, pool, int(i), self.bag.context, size, self.bag.warps, family)
            for i in indices
        ]
        warps = torch.from_numpy(np.stack([warp for _, warp in cuts])).float()
        guesses = torch.from_numpy(self._guesses.upright_from_view[indices]).float()
        total = config.optimization.epochs * config.optimization.steps_per_epoch
        extra = {
            "upright_from_crop": warps,
            "half_size": self._half_sizes(pool, indices),
            "progress": torch.full((len(indices),), step / total),
        }
        if config.unsupervised.template_fixed:
            extra["given_template"] = self._given().expand(len(indices), -1, -1, -1)
        return batch_of(
            torch.from_numpy(np.stack([crop for crop, _ in cuts])[:, None]),
            corners=corners_from_theta(compose(invert(warps), guesses)),
            weight=torch.from_numpy(self._guesses.likeness[indices]).float().clamp(min=0.0) ** 2,
            class_index=torch.from_numpy(pool.class_index[indices]),
            extra=extra,
        )

    def held_out(self) -> Batch:
        """Return crops kept from training: as the runtime takes them, then each one turned."""
        pool = self.crops.held_out
        chosen = np.arange(len(pool))[:_HELD_OUT_CROPS]
        size, rng = self.config.network.input_size, np.random.default_rng(self.config.seed)
        warps = [np.eye(3) for _ in chosen]
        warps += [random_warp(rng, self.bag.warps, self.bag.family) for _ in chosen]
        indices = np.concatenate([chosen, chosen])
        crops = np.stack(
            [
                cut_upright(pool.pixels[i], warp, self.bag.context, size)
                for i, warp in zip(indices, warps, strict=True)
            ]
        )
        return batch_of(
            torch.from_numpy(crops[:, None].astype(np.float32) / 255),
            class_index=torch.from_numpy(pool.class_index[indices]),
            extra={"upright_from_crop": torch.from_numpy(np.stack(warps)).float()},
        )

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch."""
        return self.strategy.step(network, batch)

    def figures(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return how far views move under warps, percent of the side, and their likeness."""
        output = network(batch.crops)
        half = len(batch.crops) // 2
        theta, warps = output["theta"], batch.extra["upright_from_crop"]
        apart = equivariance_errors(theta[:half], theta[half:], warps[:half], warps[half:])
        figures = {
            "moved_median_percent": 50 * torch.nan_to_num(apart, nan=4.0).median(),
            "likeness_median": output["score"].median(),
        }
        known = batch.class_index >= 0
        if "class_logits" in output and known.any():
            right = output["class_logits"].argmax(dim=1)[known] == batch.class_index[known]
            figures["class_accuracy"] = right.float().mean()
        return figures

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return each crop beside its view."""
        return crops_beside_views(batch.crops, network(batch.crops)["theta"])

    def seen(self) -> str:
        """Return what the crops are cut from."""
        boxes = f", boxes of {self.bag.detections}" if self.bag.detections else ""
        return f"the recording {self.bag.path.name}{boxes}, randomly warped, without labels"

    def held_out_text(self) -> str:
        """Return what training never sees."""
        return f"every {self.bag.held_out_every}th crop of the recording"

    def card_fields(self) -> dict[str, Any]:
        """Return what the card says of the network."""
        size, margin = self.config.network.input_size, self.bag.box_margin
        return {
            "family": self.bag.family,
            "input_width": size,
            "input_height": size,
            "channels": 1,
            "crop_shape": "square",
            "box_margin": margin,
            # A refinement crop shows as much around the object as a box's crop does.
            "refinement_margin": margin,
            "view_width": _VIEW_FACTOR * size,
            "view_height": _VIEW_FACTOR * size,
            "symmetry": 1,
            "class_names": self.bag.class_names,
        }

    def _half_sizes(self, pool: CropPool, indices: NDArray[np.int64]) -> Tensor:
        """Half sizes of the boxes in half sides of the runtime's crop."""
        return torch.from_numpy(pool.half_sizes[indices] * self.bag.context).float()

    def _given(self) -> Tensor:
        given = self.crops.given_template
        assert given is not None
        resized = cv2.resize(given, (32, 32), interpolation=cv2.INTER_AREA)
        return torch.from_numpy(resized[None, None].astype(np.float32) / 255)


def _check(bag: BagConfig, losses: UnsupervisedConfig) -> None:
    names = list(bag.class_names)
    if losses.classes > 0 and len(names) < 2:
        raise ConfigError(
            f"bag.class_names is {names}, expected at least two for the classification loss"
        )
    if losses.classes == 0 and names:
        raise ConfigError(f"unsupervised.classes is 0, expected more to tell {names} apart")
    if losses.template_fixed and losses.template_image is None:
        raise ConfigError("unsupervised.template_image is missing, expected for template_fixed")
