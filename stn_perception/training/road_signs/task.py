# SPDX-License-Identifier: Apache-2.0
"""The task of road and door signs: corners, which side is up, and the class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from torch import Tensor, nn

from stn_perception.runtime.model_card import ModelCard
from stn_perception.stn.sign_classifier import SignClassifier
from stn_perception.stn.sign_reader import SignReader
from stn_perception.stn.transforms import theta_from_corners
from stn_perception.training.batch import Batch, StepResult
from stn_perception.training.calibration import scale_deviations
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.pictures import crops_beside_views
from stn_perception.training.road_signs.catalogue import class_names, designs, other_artwork
from stn_perception.training.road_signs.config import SignsConfig
from stn_perception.training.road_signs.crops import random_batch
from stn_perception.training.road_signs.found_views import FoundViews
from stn_perception.training.road_signs.losses import (
    plain_step,
    reader_step,
    residual_turn,
    wrapped,
)
from stn_perception.training.road_signs.pool import SignPool, draw_pool, pool_of, scene_number
from stn_perception.training.scenes import HELD_OUT, TRAINING
from stn_perception.training.tasks import Report

# Seeds of scenes that training is watched by, and that deviations are scaled on: neither is the
# seed of any score.
_WATCHED = 77_000
UPRIGHT_DEG = 10.0


class SignsTask:
    """The sign in the box: its square from its own top-left, and what it says.

    Args:
        config: of the run.
        pool: its scenes, where they are already in memory.

    Raises:
        ConfigError: the configuration has no section ``signs``.
    """

    def __init__(self, config: TrainingConfig, pool: SignPool | None = None) -> None:
        if config.signs is None:
            raise ConfigError("the task signs needs the section signs, expected it beside task")
        self.config = config
        self.signs: SignsConfig = config.signs
        self._pool = pool
        self._find: FoundViews | None = None
        if self.signs.crops.found_share > 0:
            self._find = FoundViews(self.signs.crops, config.network.input_size)

    def network(self) -> nn.Module:
        """Return the untrained network."""
        classes, settings = len(class_names()) - 1, self.config.network
        if self.signs.network == "plain":
            return SignClassifier(classes, settings.input_size)
        return SignReader(
            classes,
            settings.input_size,
            self.signs.view_size,
            self.signs.view_margin,
            widths=settings.widths,
        )

    def prepare(self, report: Report) -> None:
        """Draw the scenes into memory, and read the network that finds estimates."""
        if self._pool is None:
            signs = self.signs
            self._pool = draw_pool(
                self.config.seed, signs.count, signs.scenes, signs.workers, report
            )
        if self._find is not None:
            # A checkpoint that cannot be read is said before the first batch.
            _ = self._find.network

    def batch(self, step: int, rank: int) -> Batch:
        """Cut the crops of one step."""
        if self._pool is None:
            raise RuntimeError("the task signs has no scenes yet, expected prepare() before it")
        config = self.config
        rng = np.random.default_rng([config.seed, 100 + rank, step])
        indices = rng.integers(0, len(self._pool), config.optimization.batch_size)
        size = config.network.input_size
        return random_batch(rng, self._pool, indices, self.signs.crops, size, self._find)

    def held_out(self) -> Batch:
        """Cut fixed crops from held-out materials, under another seed than any score's."""
        seed, count = self.config.seed + _WATCHED, self.signs.held_out_count
        scenes = [scene_number(seed, i, self.signs.scenes, True) for i in range(count)]
        rng = np.random.default_rng(self.config.seed)
        size = self.config.network.input_size
        return random_batch(
            rng, pool_of(scenes), np.arange(count), self.signs.crops, size, self._find
        )

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch."""
        if isinstance(network, SignReader):
            return reader_step(network, batch)
        assert isinstance(network, SignClassifier)
        return plain_step(network.logits(batch.crops), batch)

    def figures(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return the share of signs read, of unknown things refused, and of views upright."""
        output = network(batch.crops)
        found = output["class_logits"].argmax(dim=1)
        right = (found == batch.class_index).float()
        unknown = batch.class_index == len(class_names()) - 1
        figures = {"unknown_refused": right[unknown].mean()}
        for name, mask in (("first", ~batch.refined), ("refined", batch.refined)):
            figures[f"{name}_read"] = right[mask & ~unknown].mean()
        if isinstance(network, SignReader):
            symmetry = batch.extra["symmetry"].clamp_min(1)
            turn = residual_turn(output["theta"], theta_from_corners(batch.corners))
            off = wrapped(turn, 2 * math.pi / symmetry).abs()
            upright = (off < math.radians(UPRIGHT_DEG)).float()
            for name, mask in (("first", ~batch.refined), ("refined", batch.refined)):
                figures[f"{name}_upright"] = upright[mask & ~unknown].mean()
        return figures

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return each crop beside its view."""
        return crops_beside_views(batch.crops, network(batch.crops)["theta"])

    def seen(self) -> str:
        """Return what the crops are cut from."""
        return (
            f"{self.signs.count} generated scenes of {len(class_names()) - 1} signs and of other "
            "things with exact corners"
        )

    def materials(self) -> str:
        """Return what the scenes are made of."""
        signs = [d for d in designs() if d.use == "class"]
        drawn = sum(d.source.startswith("drawn.") for d in signs)
        others = len(other_artwork(False))
        return (
            f"{len(signs) - drawn} designs of the Open Clip Art Library (public domain) and "
            f"{drawn} drawn by a script; {others} other pieces of its artwork as unknown; "
            f"{TRAINING.text}"
        )

    def held_out_text(self) -> str:
        """Return what no training scene is made of."""
        return (
            f"{len(other_artwork(True))} other pieces of the clip-art; {HELD_OUT.text}; "
            "every real picture"
        )

    def card_fields(self) -> dict[str, Any]:
        """Return what the card says of the network."""
        crops, size = self.signs.crops, self.config.network.input_size
        return {
            "family": "projective",
            "input_width": size,
            "input_height": size,
            "channels": 3,
            "crop_shape": "stretch",
            "box_margin": crops.box_margin,
            "refinement_margin": crops.refinement_margin,
            "view_width": 2 * size,
            "view_height": 2 * size,
            "symmetry": 1,
            "class_names": class_names(),
        }

    def calibrate(self, network: nn.Module, card: ModelCard, samples: int) -> float:
        """Scale the predicted deviations so that 1 σ holds 68.27 % of held-out errors.

        A third of the signs start from estimates that are far off, the others from their boxes.
        """
        if not isinstance(network, SignReader):
            return 1.0
        from stn_perception.training.road_signs.measuring import held_out_in_sigmas

        scenes, coarse = self.signs.scenes, self.signs.crops.coarse_sigma
        return scale_deviations(
            network, card, lambda a: held_out_in_sigmas(a, scenes, samples, coarse)
        )
