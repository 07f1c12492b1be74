# SPDX-License-Identifier: Apache-2.0
"""Batches numbered by the step that uses them, so that a resumed run sees the same ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import lightning
from torch.utils.data import DataLoader, Dataset, Sampler

from stn_perception.training.batch import Batch
from stn_perception.training.tasks import Task


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


class StepBatches(Dataset[Batch]):
    """Item i is the whole batch of step i."""

    def __init__(self, task: Task, rank: int) -> None:
        self.task = task
        self.rank = rank

    def __getitem__(self, step: int) -> Batch:
        cv2.setNumThreads(1)
        return self.task.batch(step, self.rank)


class HeldOutBatch(Dataset[Batch]):
    """The one batch that training is watched by."""

    def __init__(self, task: Task) -> None:
        self.batch = task.held_out()

    def __getitem__(self, index: int) -> Batch:
        return self.batch

    def __len__(self) -> int:
        return 1


class TaskData(lightning.LightningDataModule):  # type: ignore[misc]
    """A task's batches for Lightning; several trainers get different ones by their rank.

    Args:
        task: prepared.
        steps_per_epoch: batches in one epoch.
        workers: processes that make batches; 0 makes them in the training process.
    """

    def __init__(self, task: Task, steps_per_epoch: int, workers: int) -> None:
        super().__init__()
        self.task = task
        self.steps_per_epoch = steps_per_epoch
        self.workers = workers

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return a loader of whole batches; asked for in the process that uses it."""
        sampler = StepSampler(self.steps_per_epoch, lambda: self.trainer.global_step)
        return DataLoader(
            StepBatches(self.task, self.trainer.global_rank),
            batch_size=None,
            sampler=sampler,
            num_workers=self.workers,
            multiprocessing_context="fork" if self.workers else None,
            # Forked once, before the main process has started threads a child would wait for.
            persistent_workers=self.workers > 0,
        )

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the held-out batch."""
        return DataLoader(HeldOutBatch(self.task), batch_size=None)
