# SPDX-License-Identifier: Apache-2.0
"""Network inputs as a differentiable function of their transforms, and of nothing else.

The backward pass reads what the forward pass read, not the whole frame, and its sums have a fixed
order: the same bits every time, also on CUDA.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from stn_perception.messages.encodings import ColorOrder
from stn_perception.runtime.cuda import launches
from stn_perception.runtime.cuda.colors import input_factors
from stn_perception.runtime.cuda.frame_table import frame_table
from stn_perception.runtime.cuda.plans import Plans


def differentiable_inputs(
    frames: Sequence[tuple[torch.Tensor, ColorOrder]],
    frame_of_view: torch.Tensor,
    frame_from_view: torch.Tensor,
    width: int,
    height: int,
    channels: int = 3,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    antialias: bool = True,
) -> torch.Tensor:
    """Sample N views of F frames.

    The derivative is the symmetric one of ``stn.symmetric_gradient``; which pixels are averaged
    to which cells is held constant in it.

    Args:
        frames: uint8 H×W (gray) or H×W×C on the transforms' device, with their colour orders.
        frame_of_view: N whole numbers, which frame each view is of.
        frame_from_view: N×3×3 in pixels, float32 or float64; w > 0 is in front.
        width: Of a view, in pixels, like height.
        height: See above.
        channels: 3 for RGB, 1 for gray.
        mean: Per channel, subtracted from values in [0, 1].
        std: Per channel, divides them then.
        antialias: Whether views coarser than their frame are averaged.

    Returns:
        float32 N×channels×height×width.

    Raises:
        ValueError: A frame or a shape that cannot be.
    """
    count = len(frame_from_view)
    if tuple(frame_from_view.shape) != (count, 3, 3) or tuple(frame_of_view.shape) != (count,):
        raise ValueError(
            f"frame_from_view is {tuple(frame_from_view.shape)} and frame_of_view "
            f"{tuple(frame_of_view.shape)}, expected (N, 3, 3) and (N,)"
        )
    if count and not 0 <= int(frame_of_view.min()) <= int(frame_of_view.max()) < len(frames):
        raise ValueError(
            f"frame_of_view goes from {int(frame_of_view.min())} to {int(frame_of_view.max())}, "
            f"expected 0 to {len(frames) - 1}"
        )
    device = frame_from_view.device
    job = _Job(
        frames=tuple(pixels for pixels, _ in frames),
        table=frame_table(frames, device),
        colors=input_factors(channels, device, mean, std),
        frame_of_view=frame_of_view.to(device=device, dtype=torch.int32).contiguous(),
        shape=(count, channels, height, width),
        antialias=antialias,
    )
    sampled: torch.Tensor = _Sampling.apply(frame_from_view, job)  # type: ignore[no-untyped-call]
    return sampled


class _Job:
    """What sampling needs besides the transforms; keeps the frames that the table points to."""

    def __init__(
        self,
        frames: tuple[torch.Tensor, ...],
        table: torch.Tensor,
        colors: torch.Tensor,
        frame_of_view: torch.Tensor,
        shape: tuple[int, int, int, int],
        antialias: bool,
    ) -> None:
        self.frames = frames
        self.table = table
        self.colors = colors
        self.frame_of_view = frame_of_view
        self.shape = shape
        self.antialias = antialias


class _Sampling(torch.autograd.Function):
    """``apply(frame_from_view N×3×3, job)``."""

    @staticmethod
    def forward(ctx: Any, frame_from_view: torch.Tensor, job: _Job) -> torch.Tensor:
        """Plan and sample."""
        matrices = frame_from_view.detach().to(torch.float64).contiguous()
        plans = Plans.over(job.frame_of_view, matrices)
        _, _, height, width = job.shape
        launches.plan(job.table, plans, width, height, job.antialias)
        result = torch.empty(job.shape, dtype=torch.float32, device=frame_from_view.device)
        launches.inputs(job.table, plans, job.colors, result)
        ctx.job, ctx.plans, ctx.dtype = job, plans, frame_from_view.dtype
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The loss by the transforms, from the loss by the plans' coefficients."""
        job: _Job = ctx.job
        upstream = gradient.to(torch.float32).contiguous()
        by_plan = launches.input_gradient(job.table, ctx.plans, job.colors, upstream)
        return _by_transform(by_plan, ctx.plans.exact).to(ctx.dtype), None


def _by_transform(by_plan: torch.Tensor, exact: torch.Tensor) -> torch.Tensor:
    """Back through ``plan = cells_from_frame @ frame_from_view @ view_from_offset / w``."""
    count = len(by_plan)
    cells_from_frame = torch.zeros((count, 3, 3), dtype=torch.float64, device=exact.device)
    cells_from_frame[:, 0, 0], cells_from_frame[:, 0, 2] = exact[:, 10], exact[:, 11]
    cells_from_frame[:, 1, 1], cells_from_frame[:, 1, 2] = exact[:, 12], exact[:, 13]
    cells_from_frame[:, 2, 2] = 1
    view_from_offset = torch.eye(3, dtype=torch.float64, device=exact.device).repeat(count, 1, 1)
    view_from_offset[:, 0, 2], view_from_offset[:, 1, 2] = exact[:, 14], exact[:, 15]
    back = cells_from_frame.mT @ by_plan @ view_from_offset.mT
    return back / exact[:, 16, None, None]
