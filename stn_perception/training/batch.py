# SPDX-License-Identifier: Apache-2.0
"""What one training step is given and what it gives back, whatever is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """Crops and what a strategy may learn from them.

    Attributes:
        crops: float32 N×C×S×S in [0, 1].
        corners: float32 N×4×2 in normalised crop axes; NaN where unknown.
        weight: float32 N: confidence in the label, 0 to 1.
        class_index: int64 N; -1 where unknown.
        refined: bool N: whether the crop followed a first estimate.
        extra: what one task or strategy alone needs, N first.
    """

    crops: Tensor
    corners: Tensor
    weight: Tensor
    class_index: Tensor
    refined: Tensor
    extra: dict[str, Tensor]


@dataclass(frozen=True)
class StepResult:
    """One batch's loss and what to log beside it.

    Attributes:
        loss: scalar to minimise.
        figures: named scalars, detached; the first one is shown in the progress bar.
    """

    loss: Tensor
    figures: dict[str, Tensor]


def batch_of(
    crops: Tensor,
    corners: Tensor | None = None,
    weight: Tensor | None = None,
    class_index: Tensor | None = None,
    refined: Tensor | None = None,
    extra: dict[str, Tensor] | None = None,
) -> Batch:
    """Return a batch; what is left out is unknown (corners, class), sure, and not refined."""
    count = len(crops)
    return Batch(
        crops=crops,
        corners=torch.full((count, 4, 2), torch.nan) if corners is None else corners,
        weight=torch.ones(count) if weight is None else weight,
        class_index=torch.full((count,), -1) if class_index is None else class_index,
        refined=torch.zeros(count, dtype=torch.bool) if refined is None else refined,
        extra=extra or {},
    )


def first_of(batch: Batch, count: int) -> Batch:
    """Return the first samples of a batch."""
    return Batch(
        crops=batch.crops[:count],
        corners=batch.corners[:count],
        weight=batch.weight[:count],
        class_index=batch.class_index[:count],
        refined=batch.refined[:count],
        extra={name: tensor[:count] for name, tensor in batch.extra.items()},
    )
