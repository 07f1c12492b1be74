# SPDX-License-Identifier: Apache-2.0
"""The network while it learns: loss, optimiser, running average of the weights, figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from stn_perception.training.batch import Batch, first_of
from stn_perception.training.config import TrainingConfig
from stn_perception.training.tasks import Task, task_for

# How many crops are shown beside their views after each epoch.
PICTURES = 8


class Learner(lightning.LightningModule):  # type: ignore[misc]
    """Fits the network of one task.

    ``average`` holds the exponential running average of the weights; it is what is validated and
    exported.

    Args:
        config: of the run, as ``TrainingConfig.model_dump(mode="json")`` gives it.
        command: the command that started it, for the card.
        earlier: ``seen`` and ``command`` of the runs it goes on from, for the card.
        task: the configured task where it is already prepared.
    """

    def __init__(
        self,
        config: dict[str, Any],
        command: str = "",
        earlier: Sequence[dict[str, str]] = (),
        task: Task | None = None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=["task"])
        self.config = TrainingConfig.model_validate(config)
        self.task = task if task is not None else task_for(self.config)
        self.network = self.task.network()
        self.average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(  # type: ignore[no-untyped-call]
                self.config.optimization.average_decay
            ),
            use_buffers=True,
        )
        self.average.requires_grad_(False)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of one batch."""
        result = self.task.step(self.network, batch)
        count = len(batch.crops)
        self.log("loss", result.loss, prog_bar=True, batch_size=count)
        for number, (name, value) in enumerate(result.figures.items()):
            self.log(f"train/{name}", value, prog_bar=number == 0, batch_size=count)
        return result.loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Update the running average, which follows faster at the start of the run."""
        step = self.global_step
        decay = min(self.config.optimization.average_decay, (1 + step) / (10 + step))
        self.average.multi_avg_fn = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.average.update_parameters(self.network)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log the task's figures on the held-out batch, and pictures of views."""
        self.average.eval()
        count = len(batch.crops)
        for number, (name, value) in enumerate(
            self.task.figures(self.average.module, batch).items()
        ):
            # The same batch on every process: nothing to gather.
            self.log(f"held_out/{name}", value, prog_bar=number == 0, batch_size=count)
        self._show(batch)

    def _show(self, batch: Batch) -> None:
        if not self.trainer.is_global_zero or not isinstance(self.logger, TensorBoardLogger):
            return
        few = first_of(batch, PICTURES)
        pictures = self.task.pictures(self.average.module, few)
        self.logger.experiment.add_images("held_out/views", pictures.cpu(), self.global_step)

    def configure_optimizers(self) -> Any:
        """AdamW on a one-cycle schedule."""
        settings = self.config.optimization
        optimizer = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        total = settings.epochs * settings.steps_per_epoch
        warmup = max(1, int(settings.warmup_share * total))

        def rate(step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            progress = (step - warmup) / max(1, total - warmup)
            return 0.005 + 0.995 * 0.5 * (1 + float(torch.cos(torch.tensor(progress * torch.pi))))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }
