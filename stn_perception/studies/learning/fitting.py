# SPDX-License-Identifier: Apache-2.0
"""Fitting by Lightning: one cycle of the learning rate, the weights' running average is kept."""

from __future__ import annotations

import copy
import math
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import TQDMProgressBar
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset

from stn_perception.stn import parameter_groups
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.lesson import Lesson

# The last rate as a share of the highest.
_LAST_RATE = 0.005


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network.

    Attributes:
        network: With the running average of the weights, on the CPU, in evaluation mode.
        seconds: That the fitting took.
        threads: CPU threads of torch meanwhile.
        device: Where it ran.
        validation: The lesson's figures of the kept weights.
    """

    network: nn.Module
    seconds: float
    threads: int
    device: str
    validation: Mapping[str, float]


class _Batches(IterableDataset[Any]):
    def __init__(self, lesson: Lesson, settings: FitSettings, seed: int) -> None:
        self._lesson, self._settings, self._seed = lesson, settings, seed

    def __iter__(self) -> Iterator[Any]:
        generator = torch.Generator().manual_seed(self._seed)
        for _ in range(self._settings.steps):
            yield self._lesson.batch(self._settings.batch_size, generator)


class _Learner(lightning.LightningModule):  # type: ignore[misc]
    def __init__(self, lesson: Lesson, settings: FitSettings) -> None:
        super().__init__()
        self.lesson = lesson
        self.settings = settings
        self.network = lesson.network
        self.average = AveragedModel(self.network, use_buffers=True)
        self.average.requires_grad_(False)

    def training_step(self, batch: Any, index: int) -> Tensor:
        loss = self.lesson.loss(self.network, batch)
        self.log("loss", loss, prog_bar=True, batch_size=self.settings.batch_size)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        # Early weights are forgotten sooner than the decay would.
        decay = min(self.settings.average_decay, (1 + self.global_step) / (10 + self.global_step))
        self.average.multi_avg_fn = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.average.update_parameters(self.network)

    def configure_optimizers(self) -> Any:
        settings = self.settings
        groups = parameter_groups(
            self.network,
            self.lesson.localization,
            settings.learning_rate,
            settings.localization_factor,
        )
        optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
        warmup = max(1, int(settings.warmup_share * settings.steps))

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            progress = (step - warmup) / max(1, settings.steps - warmup)
            return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * progress))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


def fit(lesson: Lesson, settings: FitSettings, seed: int) -> Fitted:
    """Train a lesson's network and return it with the running average of its weights.

    Args:
        lesson: The network, already initialised, and what it learns from.
        settings: Of the optimisation.
        seed: Of the order and the distortion of the training samples.

    Raises:
        KeyboardInterrupt: It was stopped; nothing is kept.
    """
    lightning.seed_everything(seed, workers=False, verbose=False)
    learner = _Learner(lesson, settings)
    trainer = lightning.Trainer(
        accelerator=settings.device,
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        callbacks=[TQDMProgressBar(refresh_rate=50)],
        gradient_clip_val=settings.gradient_clip,
        num_sanity_val_steps=0,
    )
    start = time.perf_counter()
    _run(trainer, learner, DataLoader(_Batches(lesson, settings, seed), batch_size=None))
    seconds = time.perf_counter() - start
    device = str(trainer.strategy.root_device)
    network = copy.deepcopy(learner.average.module).to(device).eval()
    with torch.no_grad():
        validation = dict(lesson.validation(network))
    return Fitted(network.cpu(), seconds, torch.get_num_threads(), device, validation)


def _run(trainer: lightning.Trainer, learner: _Learner, batches: DataLoader[Any]) -> None:
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(learner, batches)
    except SystemExit as ended:
        # Lightning makes Ctrl-C exit status 1 and ignores it from then on.
        if not isinstance(ended.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, on_interrupt)
        raise KeyboardInterrupt from ended
