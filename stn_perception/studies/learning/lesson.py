# SPDX-License-Identifier: Apache-2.0
"""One network of a study and what it learns from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn


class Lesson(Protocol):
    """What `fit` needs to know of one network.

    Attributes:
        network: To be trained, initialised by the row's seed.
        localization: The parts of it that learn at the gentler rate; empty without a transformer.
    """

    network: nn.Module
    localization: Sequence[nn.Module]

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw `count` training samples: tensors, or tuples, lists or dictionaries of them."""

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the loss, a scalar, of a batch on the network's device."""

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        """Return figures on the validation split, never on the test split."""


def parameter_count(parts: nn.Module | Iterable[nn.Module]) -> int:
    """Return how many numbers a module learns."""
    modules = [parts] if isinstance(parts, nn.Module) else list(parts)
    return sum(p.numel() for module in modules for p in module.parameters())


def device_of(network: nn.Module) -> torch.device:
    """Return where a network lies, for the batches of a validation or a test."""
    return next(network.parameters()).device
