# SPDX-License-Identifier: Apache-2.0
"""The network while it learns: loss, optimiser, running average of the weights, figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork
from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.config import TrainingConfig
from stn_perception.training.strategies import strategy_named, symmetric_error


def build_network(config: TrainingConfig) -> CornerHeatmapNetwork:
    """Return an untrained network as configured."""
    return CornerHeatmapNetwork(1, config.network.input_size, config.network.widths)


class Learner(lightning.LightningModule):  # type: ignore[misc]
    """Fits one network with one strategy.

    ``average`` holds the exponential running average of the weights; it is what is validated and
    exported.

    Args:
        config: of the run, as ``TrainingConfig.model_dump(mode="json")`` gives it.
        command: the command that started it, for the card.
        earlier: ``seen`` and ``command`` of the runs it goes on from, for the card.
    """

    def __init__(
        self,
        config: dict[str, Any],
        command: str = "",
        earlier: Sequence[dict[str, str]] = (),
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.config = TrainingConfig.model_validate(config)
        self.network = build_network(self.config)
        self.average = AveragedModel(
            self.network,
            multi_avg_fn=get_ema_multi_avg_fn(  # type: ignore[no-untyped-call]
                self.config.optimization.average_decay
            ),
            use_buffers=True,
        )
        self.average.requires_grad_(False)
        self.strategy = strategy_named(self.config.strategy)

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """Return the loss of one batch."""
        result = self.strategy.step(self.network, *batch)
        self.log("loss", result.loss, prog_bar=True)
        for name, value in result.figures.items():
            self.log(f"train/{name}", value, prog_bar=name == "corner_error")
        return result.loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Update the running average, which follows faster at the start of the run."""
        step = self.global_step
        decay = min(self.config.optimization.average_decay, (1 + step) / (10 + step))
        self.average.multi_avg_fn = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.average.update_parameters(self.network)

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], index: int) -> None:
        """Log median and 95th percentile of the corner error, in pixels of a 128 px crop."""
        crops, corners, refined = batch
        self.average.eval()
        found = corners_from_theta(self.average.module(crops)["theta"])
        errors = torch.nan_to_num(symmetric_error(found, corners), nan=2.0) * 64
        for name, mask in (("first", ~refined), ("refined", refined)):
            self.log(f"held_out/{name}_median_px", errors[mask].median(), prog_bar=True)
            self.log(f"held_out/{name}_p95_px", errors[mask].quantile(0.95))

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
