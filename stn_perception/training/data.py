# SPDX-License-Identifier: Apache-2.0
"""Batches of crops whose content depends on seed, epoch and step alone, so that runs resume."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from stn_perception.training.config import TrainingConfig
from stn_perception.training.crops import random_batch
from stn_perception.training.pool import ScenePool, scene


class StepSampler(Sampler[int]):
    """Numbers the steps of one epoch on from the steps already taken.

    Lightning's ``set_epoch`` is not relied on: after a resume it names the epoch that ended.

    Args:
        steps_per_epoch: how many steps one pass yields.
        steps_taken: returns the number of optimiser steps of the run so far.
    """

    def __init__(self, steps_per_epoch: int, steps_taken: Callable[[], int]) -> None:
        self.steps_per_epoch = steps_per_epoch
        self.steps_taken = steps_taken

    def __iter__(self) -> Iterator[int]:
        first = self.steps_taken()
        return iter(range(first, first + self.steps_per_epoch))

    def __len__(self) -> int:
        return self.steps_per_epoch


class CropBatches(Dataset[tuple[Tensor, Tensor]]):
    """Item i is the whole batch of step i: crops N×1×S×S, corners N×4×2."""

    def __init__(self, pool: ScenePool, config: TrainingConfig, rank: int = 0) -> None:
        self.pool = pool
        self.config = config
        self.rank = rank

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        cv2.setNumThreads(1)
        rng = np.random.default_rng([self.config.seed, 100 + self.rank, step])
        indices = rng.integers(0, len(self.pool), self.config.optimization.batch_size)
        batch = random_batch(
            rng, self.pool, indices, self.config.crops, self.config.network.input_size
        )
        return torch.from_numpy(batch.crops), torch.from_numpy(batch.corners)


def training_loader(
    pool: ScenePool, config: TrainingConfig, steps_taken: Callable[[], int], rank: int = 0
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Return a loader of batches; several trainers get different crops by their rank."""
    return DataLoader(
        CropBatches(pool, config, rank),
        batch_size=None,
        sampler=StepSampler(config.optimization.steps_per_epoch, steps_taken),
        num_workers=config.optimization.loader_workers,
        multiprocessing_context="fork" if config.optimization.loader_workers else None,
        # Forked once, before the main process has started threads a child would wait for.
        persistent_workers=config.optimization.loader_workers > 0,
    )


class HeldOutCrops(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """A fixed set of crops from held-out materials, to watch the training by; one batch."""

    def __init__(self, config: TrainingConfig, count: int = 512) -> None:
        # Another seed than any score's, so that nothing is tuned on what is scored.
        scenes = [
            scene(config.seed + 77_000, i, config.scenes.settings, True) for i in range(count)
        ]
        sizes = np.array([s.pixels.size for s in scenes], np.int64)
        pool = ScenePool(
            pixels=np.concatenate([s.pixels.ravel() for s in scenes]),
            starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)[:-1]]),
            shapes=np.array([s.pixels.shape for s in scenes], np.int32),
            corners=np.array([s.corners for s in scenes]),
            boxes=np.array([s.box for s in scenes]),
        )
        rng = np.random.default_rng(config.seed)
        batch = random_batch(rng, pool, np.arange(count), config.crops, config.network.input_size)
        self.batch = (
            torch.from_numpy(batch.crops),
            torch.from_numpy(batch.corners),
            torch.from_numpy(batch.refined),
        )

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, Tensor]:
        return self.batch

    def __len__(self) -> int:
        return 1
