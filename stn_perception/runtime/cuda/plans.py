# SPDX-License-Identifier: Apache-2.0
"""The tables of planned views, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from stn_perception.runtime.cuda import plan_layout as layout


@dataclass(frozen=True, eq=False)
class Plans:
    """The tables of up to N planned views; ``plan_layout`` says what stands in them.

    Attributes:
        frame_of_view: int32 N, which frame a view is of.
        matrices: float64 N×3×3, frame_from_view in pixels.
        exact: float64 N×EXACT.
        floats: float32 N×FLOATS.
        ints: int32 N×INTS.
    """

    frame_of_view: torch.Tensor
    matrices: torch.Tensor
    exact: torch.Tensor
    floats: torch.Tensor
    ints: torch.Tensor

    @classmethod
    def over(cls, frame_of_view: torch.Tensor, matrices: torch.Tensor) -> Plans:
        """Tables for views whose frames and transforms stand in tensors that exist."""
        count, device = len(frame_of_view), frame_of_view.device
        check_tensor(frame_of_view, "frame_of_view", (count,), torch.int32)
        check_tensor(matrices, "matrices", (count, 3, 3), torch.float64)
        return cls(
            frame_of_view=frame_of_view,
            matrices=matrices,
            exact=torch.zeros((count, layout.EXACT), dtype=torch.float64, device=device),
            floats=torch.zeros((count, layout.FLOATS), dtype=torch.float32, device=device),
            ints=torch.zeros((count, layout.INTS), dtype=torch.int32, device=device),
        )

    @classmethod
    def empty(cls, count: int, device: torch.device) -> Plans:
        """Tables for ``count`` views, to be filled."""
        return cls.over(
            torch.zeros(count, dtype=torch.int32, device=device),
            torch.zeros((count, 3, 3), dtype=torch.float64, device=device),
        )

    def __len__(self) -> int:
        return len(self.frame_of_view)

    def first(self, count: int) -> Plans:
        """The first views' tables, in the same memory."""
        if not 0 <= count <= len(self):
            raise ValueError(f"{count} views were asked for, expected at most {len(self)}")
        return Plans(
            self.frame_of_view[:count],
            self.matrices[:count],
            self.exact[:count],
            self.floats[:count],
            self.ints[:count],
        )

    @property
    def frame_from_view(self) -> torch.Tensor:
        """float64 N×3×3 as it was planned, with the sign that was chosen."""
        return self.exact[:, :9].reshape(-1, 3, 3)

    @property
    def valid_fraction(self) -> torch.Tensor:
        """float64 N: the share of each view that shows its frame."""
        return self.exact[:, layout.VALID_FRACTION]


def check_tensor(
    tensor: torch.Tensor, name: str, shape: Sequence[int], dtype: torch.dtype
) -> None:
    """Refuse a tensor that a kernel would misread."""
    if tuple(tensor.shape) != tuple(shape) or tensor.dtype != dtype or not tensor.is_contiguous():
        raise ValueError(
            f"{name} is {tensor.dtype} {tuple(tensor.shape)}, expected {dtype} {tuple(shape)}, "
            "contiguous"
        )
