# SPDX-License-Identifier: Apache-2.0
"""The ways to sample a case on a device, ours and the peers'.

All begin with uint8 frames on the device and end with what the case asks for. What does not
depend on the pixels (tables, grids' transforms) is made before; ours plans in every call.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from stn_perception.benchmarks.cuda.cases import DeviceCase
from stn_perception.benchmarks.peers.tensor_warps import kornia_views, theta_of
from stn_perception.runtime.cuda import launches
from stn_perception.runtime.cuda.colors import input_factors
from stn_perception.runtime.cuda.frame_table import frame_table
from stn_perception.runtime.cuda.plans import Plans

OURS, OURS_PLAIN = "ours", "ours, not averaged"
TORCH, COMPILED, KORNIA, CV_CUDA = "torch", "torch.compile", "kornia", "CV-CUDA"

Sampling = Callable[[], torch.Tensor]
_DTYPES = {"float32": torch.float32, "float16": torch.float16, "uint8": torch.uint8}


def contenders(case: DeviceCase, device: torch.device) -> dict[str, Sampling]:
    """All that this machine has, each giving N×3×H×W planes or N×H×W×3 views."""
    frames = torch.from_numpy(case.frames).to(device)
    everyone: dict[str, Sampling] = {
        OURS: ours(case, frames, antialias=True),
        OURS_PLAIN: ours(case, frames, antialias=False),
    }
    everyone |= torch_ways(case, frames)
    if find_spec("kornia") is not None:
        everyone[KORNIA] = _kornia(case, frames)
    if find_spec("cvcuda") is not None and device.type == "cuda" and case.output == "uint8":
        everyone[CV_CUDA] = _cv_cuda(case, frames)
    return everyone


def ours(case: DeviceCase, frames: torch.Tensor, antialias: bool) -> Sampling:
    """Plan and sample, into memory that exists."""
    device, count, size = frames.device, len(case.frame_from_view), case.size
    table = frame_table([(frame, "rgb") for frame in frames], device)
    plans = Plans.over(
        torch.from_numpy(case.frame_of_view).to(device),
        torch.from_numpy(case.frame_from_view).to(device),
    )
    if case.output == "uint8":
        views = torch.empty((count, size, size, 3), dtype=torch.uint8, device=device)
        offsets = torch.arange(count, dtype=torch.int64, device=device) * (size * size * 3)

        def sample_views() -> torch.Tensor:
            launches.plan(table, plans, size, size, antialias)
            launches.views(table, plans, offsets, views.view(-1), size, size)
            return views

        return sample_views
    dtype = _DTYPES[case.output]
    inputs = torch.empty((count, 3, size, size), dtype=dtype, device=device)
    colors = input_factors(3, device)

    def sample_inputs() -> torch.Tensor:
        _ = frames  # the table points to them
        launches.plan(table, plans, size, size, antialias)
        launches.inputs(table, plans, colors, inputs)
        return inputs

    return sample_inputs


def torch_ways(case: DeviceCase, frames: torch.Tensor) -> dict[str, Sampling]:
    """``affine_grid`` and ``grid_sample`` of float planes, eager and compiled."""
    height, width = frames.shape[1:3]
    theta = theta_of(case.frame_from_view, (width, height), case.size).to(frames.device)
    groups = _groups(case)

    def views() -> torch.Tensor:
        planes = frames.permute(0, 3, 1, 2).to(torch.float32).div(255)
        parts = []
        for frame, chosen in groups:
            shape = [chosen.stop - chosen.start, 3, case.size, case.size]
            grid = functional.affine_grid(theta[chosen], shape, align_corners=False)
            shared = planes[frame : frame + 1].expand(shape[0], -1, -1, -1)
            parts.append(functional.grid_sample(shared, grid, align_corners=False))
        return _finished(torch.cat(parts), case)

    ways: dict[str, Sampling] = {TORCH: views}
    if frames.is_cuda:
        ways[COMPILED] = torch.compile(views, dynamic=False)
    return ways


def _kornia(case: DeviceCase, frames: torch.Tensor) -> Sampling:
    inverses = torch.from_numpy(np.linalg.inv(case.frame_from_view))
    view_from_frame = inverses.to(device=frames.device, dtype=torch.float32)
    groups = _groups(case)

    def views() -> torch.Tensor:
        planes = frames.permute(0, 3, 1, 2).to(torch.float32).div(255)
        parts = [
            kornia_views(planes[frame : frame + 1], view_from_frame[chosen], case.size)
            for frame, chosen in groups
        ]
        return _finished(torch.cat(parts), case)

    return views


def _cv_cuda(case: DeviceCase, frames: torch.Tensor) -> Sampling:
    """One call a view: its batches share one transform or keep the frames' size."""
    import cvcuda  # type: ignore[import-not-found,import-untyped,unused-ignore]

    library: Any = cvcuda
    flags = library.Interp.LINEAR | library.Interp.WARP_INVERSE_MAP
    result = torch.empty(
        (len(case.frame_from_view), case.size, case.size, 3),
        dtype=torch.uint8,
        device=frames.device,
    )
    sources = [library.as_tensor(frame[None], "NHWC") for frame in frames]
    targets = [library.as_tensor(view[None], "NHWC") for view in result]
    transforms = case.frame_from_view.astype(np.float32)
    black = np.zeros(3, dtype=np.float32)

    def views() -> torch.Tensor:
        stream = library.as_stream(torch.cuda.current_stream())
        for number, frame in enumerate(case.frame_of_view):
            library.warp_perspective_into(
                src=sources[frame],
                dst=targets[number],
                xform=transforms[number],
                flags=flags,
                border_mode=library.Border.CONSTANT,
                border_value=black,
                stream=stream,
            )
        return result

    return views


def _groups(case: DeviceCase) -> list[tuple[int, slice]]:
    """Each frame with its views, which stand one after another."""
    frames, starts = np.unique(case.frame_of_view, return_index=True)
    ends = [*starts[1:].tolist(), len(case.frame_of_view)]
    return [
        (int(frame), slice(int(start), end))
        for frame, start, end in zip(frames, starts, ends, strict=True)
    ]


def _finished(planes: torch.Tensor, case: DeviceCase) -> torch.Tensor:
    """In the type and the order that the case asks for."""
    if case.output != "uint8":
        return planes.to(_DTYPES[case.output])
    levels = planes.mul(255).add(0.5).clamp(0, 255).to(torch.uint8)
    return levels.permute(0, 2, 3, 1).contiguous()
