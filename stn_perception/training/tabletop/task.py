# SPDX-License-Identifier: Apache-2.0
"""The task of table-top objects: oriented boxes up to half a turn, from generated scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stn_perception.runtime.model_card import ModelCard
from stn_perception.stn.oriented_box import OrientedBoxNetwork
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.batch import Batch, StepResult, batch_of
from stn_perception.training.calibration import scale_deviations
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.pictures import crops_beside_views
from stn_perception.training.scenes import HELD_OUT as HELD_OUT_MATERIALS
from stn_perception.training.scenes import TRAINING as TRAINING_MATERIALS
from stn_perception.training.tabletop import kinds
from stn_perception.training.tabletop.config import TabletopConfig
from stn_perception.training.tabletop.crops import Crops, random_batch
from stn_perception.training.tabletop.found_views import FoundViews
from stn_perception.training.tabletop.held_out import held_out_samples, held_out_scenes
from stn_perception.training.tabletop.loss import box_loss, nearest_turn
from stn_perception.training.tabletop.measuring import measure_archive
from stn_perception.training.tabletop.oriented import ANGLE_DEFINED_FROM
from stn_perception.training.tabletop.pool import ScenePool, Source, build_pool, pool_of
from stn_perception.training.tasks import Report

# Seeds of what training watches and of what calibrates; neither is ever scored.
WATCHED_SEED = 77_000
CALIBRATION_SEED = 88_000
_WATCHED_SCENES = 60
# Errors are stated in pixels of a 96 px crop.
_HALF_CROP_PX = 48


class TabletopTask:
    """The oriented box of the object that fills the detection.

    Args:
        config: of the run.
        pools: its scenes by source, where they are already in memory.

    Raises:
        ConfigError: the configuration has no section ``tabletop``.
    """

    def __init__(
        self, config: TrainingConfig, pools: dict[Source, ScenePool] | None = None
    ) -> None:
        if config.tabletop is None:
            raise ConfigError(
                "tabletop is missing, expected the section of that name for the task tabletop"
            )
        self.config = config
        self.settings: TabletopConfig = config.tabletop
        self._pools = pools
        self._find: FoundViews | None = None
        if self.settings.found_share > 0:
            self._find = FoundViews(self.settings, config.crops, config.network.input_size)

    def network(self) -> nn.Module:
        """Return the untrained network."""
        settings = self.config.network
        network = OrientedBoxNetwork(1, settings.input_size, settings.widths)
        # The layout that CPUs convolve fastest in: a seventh less time for a step.
        fast: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return fast

    def prepare(self, report: Report) -> None:
        """Draw the scenes that the folder does not hold yet, and read all of them."""
        if self._pools is None:
            scenes_seed = self.settings.scenes_seed
            seed = self.config.seed if scenes_seed is None else scenes_seed
            self._pools = build_pool(self.settings, seed, report)
        for pool in self._pools.values():
            # Loader workers share what is there before they fork.
            _ = pool.truths
        if self._find is not None:
            # A checkpoint that cannot be read is said before the first batch.
            _ = self._find.network

    @property
    def pools(self) -> dict[Source, ScenePool]:
        """The scenes by source.

        Raises:
            RuntimeError: the task is not prepared.
        """
        if self._pools is None:
            raise RuntimeError("the task tabletop has no scenes yet, expected prepare() before it")
        return self._pools

    def batch(self, step: int, rank: int) -> Batch:
        """Cut the crops of one step."""
        rng = np.random.default_rng([self.config.seed, 300 + rank, step])
        total = self.config.optimization.batch_size
        rendered = int(rng.binomial(total, self.settings.rendered_share))
        counts: dict[Source, int] = {"rendered": rendered, "pasted": total - rendered}
        parts = [
            self._cut(rng, self.pools[source], count) for source, count in counts.items() if count
        ]
        return _labelled([np.concatenate(values) for values in zip(*parts, strict=True)])

    def held_out(self) -> Batch:
        """Cut fixed crops of unseen bodies, under another seed than any score's."""
        seed = self.config.seed + WATCHED_SEED
        pool = pool_of([scene for scene, _ in held_out_scenes(seed, _WATCHED_SCENES)])
        rng = np.random.default_rng(seed)
        return _labelled(self._cut(rng, pool, len(pool), np.arange(len(pool))))

    def _cut(
        self,
        rng: np.random.Generator,
        pool: ScenePool,
        count: int,
        indices: NDArray[np.int64] | None = None,
    ) -> Crops:
        chosen = rng.integers(0, len(pool), count) if indices is None else indices
        size, share = self.config.network.input_size, self.settings.found_share
        return random_batch(rng, pool, chosen, self.config.crops, size, self._find, share)

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch."""
        return box_loss(network, batch)

    def figures(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Return errors of the angle, where it is defined, and of the centre."""
        found = corners_from_theta(network(batch.crops)["theta"])
        truth = nearest_turn(found, batch.corners)
        side, true_side = found[:, 1] - found[:, 0], truth[:, 1] - truth[:, 0]
        cross = side[:, 0] * true_side[:, 1] - side[:, 1] * true_side[:, 0]
        dot = (side * true_side).sum(dim=1)
        angle = torch.rad2deg(torch.atan2(cross.abs(), dot.abs()))
        centre = (found.mean(dim=1) - truth.mean(dim=1)).norm(dim=1) * _HALF_CROP_PX
        defined = batch.extra["aspect"] >= ANGLE_DEFINED_FROM
        figures: dict[str, Tensor] = {}
        for name, mask in (("first", ~batch.refined), ("refined", batch.refined)):
            if (mask & defined).any():
                figures[f"{name}_angle_median_deg"] = angle[mask & defined].median()
                figures[f"{name}_angle_p95_deg"] = angle[mask & defined].quantile(0.95)
                figures[f"{name}_centre_median_px"] = centre[mask].median()
        return figures

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return each crop beside its view."""
        return crops_beside_views(batch.crops, network(batch.crops)["theta"])

    def seen(self) -> str:
        """Return what the crops are cut from."""
        settings = self.settings
        return (
            f"{settings.rendered} rendered table-top scenes and {settings.pasted} scenes pasted "
            f"from {settings.cutouts} rendered cut-outs"
        )

    def materials(self) -> str:
        """Return what the scenes are made of."""
        return f"{kinds.TRAINING.text}; photographs of scikit-image " + ", ".join(
            TRAINING_MATERIALS.photographs
        )

    def held_out_text(self) -> str:
        """Return what no training scene is made of."""
        return (
            f"{kinds.HELD_OUT.text}; photographs of scikit-image "
            f"{', '.join(HELD_OUT_MATERIALS.photographs)}; every real picture"
        )

    def card_fields(self) -> dict[str, Any]:
        """Return what the card says of the network."""
        crops, size = self.config.crops, self.config.network.input_size
        return {
            "family": "affine",
            "input_width": size,
            "input_height": size,
            "channels": 1,
            "crop_shape": "square",
            "box_margin": crops.box_margin,
            "refinement_margin": crops.refinement_margin,
            "view_width": 2 * size,
            "view_height": 2 * size,
            "symmetry": 2,
        }

    def calibrate(self, network: nn.Module, card: ModelCard, samples: int) -> float:
        """Scale the predicted deviations so that 1 σ holds 68.27 % of held-out errors."""
        assert isinstance(network, OrientedBoxNetwork)
        measured = held_out_samples(CALIBRATION_SEED, samples, "whole")
        steps = card.refinement_steps
        return scale_deviations(
            network, card, lambda archive: measure_archive(archive, measured, steps).in_sigmas
        )


def _labelled(cut: Sequence[NDArray[Any]]) -> Batch:
    """Crops in the order of ``Crops``'s fields as a batch."""
    crops, corners, outlines, aspects, refined = (torch.from_numpy(values) for values in cut)
    return batch_of(
        crops,
        corners=corners,
        refined=refined,
        extra={"outline": outlines, "aspect": aspects},
    )
