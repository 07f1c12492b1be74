# SPDX-License-Identifier: Apache-2.0
"""The kernels as functions of tensors: shapes and types checked, grids chosen.

Every function writes into tensors that the caller made, so that a steady state allocates nothing
and a CUDA graph can hold the launches.
"""

from __future__ import annotations

from typing import Any

import torch

from stn_perception.runtime.cuda import plan_layout as layout
from stn_perception.runtime.cuda.availability import is_interpreted
from stn_perception.runtime.cuda.kernels.compose import compose_transforms
from stn_perception.runtime.cuda.kernels.gradient import differentiate_inputs
from stn_perception.runtime.cuda.kernels.plan import plan_views
from stn_perception.runtime.cuda.kernels.sample import sample_inputs, sample_views
from stn_perception.runtime.cuda.plans import Plans, check_tensor
from stn_perception.runtime.settings import Interpolation

TAPS: dict[Interpolation, int] = {"nearest": 1, "linear": 2, "cubic": 4}
# A row of a warp's pixels along x, so that neighbours write neighbouring bytes.
_TILE = (32, 8)
_WARPS = 4
_COMPOSE_BLOCK = 128


def compose(
    frame_from_crop: torch.Tensor, theta: torch.Tensor, sides: torch.Tensor, result: torch.Tensor
) -> None:
    """``result = frame_from_crop @ sides[0] @ theta @ sides[1]``.

    Args:
        frame_from_crop: float64 N×3×3 in pixels.
        theta: float32 or float64, N×2×3 or N×3×3, crop_from_view in normalised axes.
        sides: float64 2×3×3: crop pixels from normalised, normalised from view pixels.
        result: float64 N×3×3, frame_from_view; another memory than frame_from_crop.
    """
    count = len(theta)
    if theta.dtype not in (torch.float32, torch.float64) or tuple(theta.shape[1:]) not in (
        (2, 3),
        (3, 3),
    ):
        raise ValueError(
            f"theta is {theta.dtype} {tuple(theta.shape)}, expected float32 or float64 "
            "(N, 2, 3) or (N, 3, 3)"
        )
    check_tensor(frame_from_crop, "frame_from_crop", (count, 3, 3), torch.float64)
    check_tensor(sides, "sides", (2, 3, 3), torch.float64)
    check_tensor(result, "result", (count, 3, 3), torch.float64)
    if result.data_ptr() == frame_from_crop.data_ptr():
        raise ValueError("result and frame_from_crop share memory, expected two tensors")
    if count:
        _launch(
            compose_transforms,
            (-(-count * 9 // _COMPOSE_BLOCK),),
            frame_from_crop,
            theta.contiguous(),
            sides,
            result,
            count,
            THETA_ROWS=theta.shape[1],
            BLOCK=_COMPOSE_BLOCK,
            num_warps=_WARPS,
        )


def plan(
    frames: torch.Tensor,
    plans: Plans,
    width: int,
    height: int,
    antialias: bool = True,
    orient: bool = False,
) -> None:
    """Plan the views whose ``matrices`` and ``frame_of_view`` stand in ``plans``.

    Args:
        frames: int64 F×FRAME_FIELDS, on the plans' device.
        plans: The views; ``exact``, ``floats`` and ``ints`` are written.
        width: Of a view, in pixels, like height.
        height: See above.
        antialias: Whether views coarser than their frame are averaged.
        orient: Whether a matrix takes the sign that puts the view's centre in front.
    """
    _check_frames(frames)
    if len(plans):
        _launch(
            plan_views,
            (len(plans),),
            frames,
            plans.frame_of_view,
            plans.matrices,
            plans.exact,
            plans.floats,
            plans.ints,
            width,
            height,
            ANTIALIAS=antialias,
            ORIENT=orient,
            num_warps=1,
        )


def inputs(frames: torch.Tensor, plans: Plans, colors: torch.Tensor, result: torch.Tensor) -> None:
    """Sample planned network inputs.

    Args:
        frames: As for ``plan``.
        plans: Planned for the result's width and height.
        colors: ``colors.input_factors``.
        result: float32 or float16 N×C×height×width, C 1 or 3.
    """
    _check_frames(frames)
    count, channels, height, width = _check_inputs(result, (torch.float32, torch.float16))
    _check_count(plans, count)
    if count:
        tensors = colors, result
        _launch_tiles(sample_inputs, frames, plans, tensors, width, height, CHANNELS=channels)


def views(
    frames: torch.Tensor,
    plans: Plans,
    offsets: torch.Tensor,
    result: torch.Tensor,
    width: int,
    height: int,
    interpolation: Interpolation = "linear",
    has_alpha: bool = False,
) -> None:
    """Sample planned views, uint8 height×width×C each.

    Args:
        frames: As for ``plan``.
        plans: Planned for this width and height.
        offsets: int64 N, each view's first byte in the result.
        result: uint8, one dimension.
        width: Of a view, in pixels, like height.
        height: See above.
        interpolation: How cells are interpolated.
        has_alpha: Whether any frame has four channels.
    """
    _check_frames(frames)
    check_tensor(offsets, "offsets", (len(plans),), torch.int64)
    if result.dtype != torch.uint8 or result.ndim != 1 or not result.is_contiguous():
        raise ValueError(
            f"the views' memory is {result.dtype} {tuple(result.shape)}, expected uint8 (bytes,)"
        )
    if len(plans):
        _launch_tiles(
            sample_views,
            frames,
            plans,
            (offsets, result),
            width,
            height,
            TAPS=TAPS[interpolation],
            CHANNELS=4 if has_alpha else 3,
        )


def input_gradient(
    frames: torch.Tensor, plans: Plans, colors: torch.Tensor, upstream: torch.Tensor
) -> torch.Tensor:
    """The loss by the nine coefficients of each plan, float64 N×3×3.

    Args:
        frames: As for ``plan``.
        plans: As they were when the inputs were sampled.
        colors: As they were then.
        upstream: float32 N×C×height×width, the loss by the inputs.
    """
    _check_frames(frames)
    count, channels, height, width = _check_inputs(upstream, (torch.float32,))
    _check_count(plans, count)
    tiles = _tiles(width, height)[2]
    sums = torch.empty((count, tiles, 9), dtype=torch.float32, device=upstream.device)
    if count:
        tensors = colors, upstream, sums
        _launch_tiles(
            differentiate_inputs, frames, plans, tensors, width, height, CHANNELS=channels
        )
    return sums.to(torch.float64).sum(dim=1).view(-1, 3, 3)


def _launch_tiles(
    kernel: Any,
    frames: torch.Tensor,
    plans: Plans,
    tensors: tuple[torch.Tensor, ...],
    width: int,
    height: int,
    **constants: int,
) -> None:
    """Launch a kernel over the tiles of planned views.

    Args:
        kernel: Takes the frames, the plans, its tensors, width and height.
        frames: As for ``plan``.
        plans: Of at least one view.
        tensors: What this kernel reads and writes beside them.
        width: Of a view, in pixels, like height.
        height: See above.
        constants: What it is compiled for, beside the size of a tile.
    """
    tile_x, tile_y, tiles = _tiles(width, height)
    _launch(
        kernel,
        (tiles, len(plans)),
        frames,
        plans.frame_of_view,
        plans.floats,
        plans.ints,
        *tensors,
        width,
        height,
        TILE_X=tile_x,
        TILE_Y=tile_y,
        num_warps=_WARPS,
        **constants,
    )


def _launch(kernel: Any, grid: tuple[int, ...], *arguments: Any, **options: Any) -> None:
    """Launch on the device and the current stream of the first argument."""
    with torch.cuda.device_of(arguments[0]):  # type: ignore[no-untyped-call]
        kernel[grid](*arguments, **options)


def _tiles(width: int, height: int) -> tuple[int, int, int]:
    """Width and height of a tile, and how many cover a view."""
    tile_x, tile_y = _TILE
    if is_interpreted():  # a program costs a millisecond there, however many pixels it has
        tile_x, tile_y = (min(128, 1 << (size - 1).bit_length()) for size in (width, height))
    return tile_x, tile_y, -(-width // tile_x) * -(-height // tile_y)


def _check_frames(frames: torch.Tensor) -> None:
    check_tensor(frames, "the frames' table", (len(frames), layout.FRAME_FIELDS), torch.int64)


def _check_inputs(
    tensor: torch.Tensor, dtypes: tuple[torch.dtype, ...]
) -> tuple[int, int, int, int]:
    right = tensor.ndim == 4 and tensor.dtype in dtypes and tensor.is_contiguous()
    if not right or tensor.shape[1] not in (1, 3):
        raise ValueError(
            f"the inputs are {tensor.dtype} {tuple(tensor.shape)}, expected "
            f"{' or '.join(map(str, dtypes))} (N, 1 or 3, height, width), contiguous"
        )
    count, channels, height, width = tensor.shape
    return count, channels, height, width


def _check_count(plans: Plans, count: int) -> None:
    if len(plans) != count:
        raise ValueError(f"{len(plans)} views are planned for {count} inputs")
