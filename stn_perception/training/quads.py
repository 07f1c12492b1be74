# SPDX-License-Identifier: Apache-2.0
"""The task of planar quadrilaterals: generated scenes, corners up to a quarter turn."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork
from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.batch import Batch, StepResult, batch_of
from stn_perception.training.calibration import CALIBRATION_SEED, scale_deviations
from stn_perception.training.config import TrainingConfig
from stn_perception.training.crops import random_batch
from stn_perception.training.deviation_power import deviation_power
from stn_perception.training.labels.comparison import Compared, Comparison
from stn_perception.training.labels.crops import weak_batch
from stn_perception.training.labels.makers import WeakLabels, make_labels
from stn_perception.training.measuring import Errors, measure_archive
from stn_perception.training.pictures import crops_beside_views
from stn_perception.training.pool import ScenePool, build_pool, pool_of, scene
from stn_perception.training.scenes import HELD_OUT, TRAINING, QuadSceneSettings
from stn_perception.training.strategies import strategy_for, symmetric_error
from stn_perception.training.strategies.weak import start_from_squares
from stn_perception.training.tasks import Report

HELD_OUT_SCENES = 512
# Half the side of the 128 px crop that errors are stated for.
_HALF_CROP_PX = 64


class QuadsTask:
    """Corners of the one quadrilateral that fills the box.

    Args:
        config: of the run.
        pool: its scenes, where they are already in memory.
    """

    def __init__(self, config: TrainingConfig, pool: ScenePool | None = None) -> None:
        self.config = config
        self.strategy = strategy_for(config)
        self._pool = pool
        self._labels: WeakLabels | None = None

    def network(self) -> nn.Module:
        """Return the untrained network."""
        settings = self.config.network
        if settings.edge_width:
            return QuadNetwork(1, settings.input_size, settings.widths, settings.edge_width)
        network = CornerHeatmapNetwork(1, settings.input_size, settings.widths)
        if self._labels_are_partial:
            start_from_squares(network)
        return network

    def prepare(self, report: Report) -> None:
        """Draw the scenes that the folder does not hold yet, and read all of them."""
        if self._pool is None:
            scenes, seed = self.config.scenes, self.config.seed
            self._pool = build_pool(
                scenes.folder, seed, scenes.count, scenes.settings, scenes.workers, report
            )
        if self.config.strategy == "weak" and self._labels is None:
            self._labels = self._labels_of(self._pool, self.config.seed, report)

    def _labels_of(
        self, pool: ScenePool, seed: int, report: Report = lambda done, total: None
    ) -> WeakLabels:
        return make_labels(self.config.weak, pool, seed, self.config.crops.box_margin, report)

    @property
    def _labels_are_partial(self) -> bool:
        return self.config.strategy == "weak" and self.config.weak.labels in ("angle", "box")

    @property
    def pool(self) -> ScenePool:
        """The scenes.

        Raises:
            RuntimeError: the task is not prepared.
        """
        if self._pool is None:
            raise RuntimeError("the task quads has no scenes yet, expected prepare() before it")
        return self._pool

    def batch(self, step: int, rank: int) -> Batch:
        """Cut the crops of one step."""
        config = self.config
        rng = np.random.default_rng([config.seed, 100 + rank, step])
        indices = rng.integers(0, len(self.pool), config.optimization.batch_size)
        size = config.network.input_size
        if self._labels is not None:
            warp = config.weak.warp
            return weak_batch(rng, self.pool, self._labels, indices, config.crops, warp, size)
        cut = random_batch(rng, self.pool, indices, config.crops, size)
        return batch_of(
            torch.from_numpy(cut.crops),
            corners=torch.from_numpy(cut.corners),
            refined=torch.from_numpy(cut.refined),
        )

    @property
    def _held_out_pool(self) -> ScenePool:
        return held_out_scenes(self.config.seed + 77_000, self.config.scenes.settings)

    def held_out(self) -> Batch:
        """Cut fixed crops from held-out materials, under another seed than any score's."""
        config, pool = self.config, self._held_out_pool
        rng = np.random.default_rng(config.seed)
        indices = np.arange(len(pool))
        cut = random_batch(rng, pool, indices, config.crops, config.network.input_size)
        return batch_of(
            torch.from_numpy(cut.crops),
            corners=torch.from_numpy(cut.corners),
            refined=torch.from_numpy(cut.refined),
        )

    def compare(self, network: nn.Module) -> Compared | None:
        """Compare the network with the labels it learned from; none where they were exact."""
        if self.config.strategy != "weak":
            return None
        config, pool = self.config, self._held_out_pool
        labels = self._labels_of(pool, config.seed + 77_000)
        margin, size = config.crops.box_margin, config.network.input_size
        return Comparison(pool, labels, margin, size).compare(network)

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch."""
        return self.strategy.step(network, batch)

    def figures(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return median and 95th percentile of the corner error, in pixels of a 128 px crop."""
        found = corners_from_theta(network(batch.crops)["theta"])
        errors = torch.nan_to_num(symmetric_error(found, batch.corners), nan=2.0) * _HALF_CROP_PX
        figures: dict[str, Tensor] = {}
        for name, mask in (("first", ~batch.refined), ("refined", batch.refined)):
            if mask.any():
                figures[f"{name}_median_px"] = errors[mask].median()
                figures[f"{name}_p95_px"] = errors[mask].quantile(0.95)
        return figures

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return each crop beside its view."""
        return crops_beside_views(batch.crops, network(batch.crops)["theta"])

    def seen(self) -> str:
        """Return what the crops are cut from."""
        kind = self.config.weak.labels
        truth = (
            "exact corners" if self.config.strategy == "supervised" else f"weak labels ({kind})"
        )
        return (
            f"{self.config.scenes.count} generated scenes of textured quadrilaterals with {truth}"
        )

    def materials(self) -> str:
        """Return what the scenes are made of."""
        return TRAINING.text

    def held_out_text(self) -> str:
        """Return what no training scene is made of."""
        return HELD_OUT.text

    def card_fields(self) -> dict[str, Any]:
        """Return what the card says of the network."""
        crops, size = self.config.crops, self.config.network.input_size
        return {
            "family": "projective",
            "input_width": size,
            "input_height": size,
            "channels": 1,
            "crop_shape": "stretch",
            "box_margin": crops.box_margin,
            "box_sigma": self.config.scenes.box_jitter,
            "refinement_margin": crops.refinement_margin,
            "view_width": 2 * size,
            "view_height": 2 * size,
            "symmetry": 4,
        }

    def calibrate(self, network: nn.Module, card: ModelCard, samples: int) -> float:
        """Scale the predicted deviations so that 1 σ holds 68.27 % of held-out errors.

        Those of edges are first raised to the power that errors grow with.
        """
        assert isinstance(network, (CornerHeatmapNetwork, QuadNetwork))
        # The network's own deviations are scaled, without what the box would add to them.
        card = card.model_copy(update={"box_sigma": 0.0})
        settings = self.config.scenes.settings
        scenes = [scene(CALIBRATION_SEED, i, settings, held_out=True) for i in range(samples)]

        def measured(archive: ModelArchive) -> Errors:
            return measure_archive(archive, scenes, card.refinement_steps)

        if isinstance(network, QuadNetwork):
            archive = ModelArchive(network, card, torch.device("cpu"), Path(), "torchscript")
            errors = measured(archive)
            power = deviation_power(errors.in_sigmas * errors.sigma_px, errors.sigma_px)
            with torch.no_grad():
                network.log_variance_scale.mul_(power)
                network.log_variance_shift.mul_(power)
        return scale_deviations(network, card, lambda archive: measured(archive).in_sigmas)


@lru_cache(maxsize=1)
def held_out_scenes(seed: int, settings: QuadSceneSettings) -> ScenePool:
    """Draw the scenes that training is watched by; watching and comparing ask for the same."""
    return pool_of([scene(seed, i, settings, held_out=True) for i in range(HELD_OUT_SCENES)])
