# SPDX-License-Identifier: Apache-2.0
"""The one interface of every way to learn, and the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from torch import nn

from stn_perception.training.batch import Batch, StepResult

if TYPE_CHECKING:
    from stn_perception.training.config import TrainingConfig


class Strategy(Protocol):
    """One way to learn corners."""

    def step(self, network: nn.Module, batch: Batch) -> StepResult:
        """Return the loss of one batch.

        Args:
            network: the localization network.
            batch: corners in normalised crop axes, clockwise, starting anywhere.
        """
        ...


def strategy_for(config: TrainingConfig) -> Strategy:
    """Return the configured strategy for networks of corners.

    Raises:
        ValueError: there is none of this name.
    """
    if config.strategy == "supervised" and config.network.edge_width:
        from stn_perception.training.strategies.supervised_edges import SupervisedEdges

        return SupervisedEdges()
    if config.strategy == "supervised":
        from stn_perception.training.strategies.supervised import Supervised

        return Supervised()
    if config.strategy == "weak":
        from stn_perception.training.strategies.weak import Weak

        return Weak(config.weak)
    raise ValueError(
        f"strategy is {config.strategy!r}, expected supervised or weak for the task {config.task}"
    )
