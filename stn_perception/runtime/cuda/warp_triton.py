# SPDX-License-Identifier: Apache-2.0
"""The warping back end for CUDA devices: fused kernels on the frames' own bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.cuda import launches
from stn_perception.runtime.cuda.availability import is_interpreted
from stn_perception.runtime.cuda.colors import input_factors
from stn_perception.runtime.cuda.frame_store import FrameStore
from stn_perception.runtime.cuda.frame_table import frame_row
from stn_perception.runtime.cuda.parameters import Parameters
from stn_perception.runtime.cuda.plans import Plans
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import Interpolation
from stn_perception.runtime.warp_backend import InputSample, ViewSample, WarpBackend

_FRAMES, _VIEWS = 4, 32  # tables begin at this size and double


class TritonBackend(WarpBackend):
    """``WarpBackend`` in Triton kernels; see there for what the methods promise.

    A frame is brought to the device once, when it is first seen, and found there again while it
    is among the last that were used. Differs from the reference by at most one level, and where a
    nearest view's coordinate lies on a tie: cells are not rounded before they are interpolated.

    Not for several threads at once.

    Args:
        device: Where the kernels run; the CPU needs Triton's interpreter.
    """

    name = "triton"

    def __init__(self, device: torch.device) -> None:
        if device.type != "cuda" and not is_interpreted():
            raise ValueError(
                f"the kernels were asked to run on {device}, expected a CUDA device "
                "(or TRITON_INTERPRET=1 before Triton is imported)"
            )
        self._device = device
        self._store = FrameStore(device)
        self._colors = {count: input_factors(count, device) for count in (1, 3)}
        self._parameters = Parameters(_FRAMES, _VIEWS, device)
        self._plans = Plans.over(self._parameters.frame_of_view, self._parameters.matrices)
        self._host = torch.empty(0, dtype=torch.uint8)
        self._result = self._host

    def sample_inputs(
        self, samples: Sequence[InputSample], width: int, height: int, channels: int
    ) -> torch.Tensor:
        """Network inputs on the back end's device, not rounded."""
        shape = (len(samples), channels, height, width)
        inputs = torch.empty(shape, dtype=torch.float32, device=self._device)
        if samples:
            frames = [sample.frame for sample in samples]
            matrices = np.stack([sample.frame_from_crop for sample in samples])
            plans = self._planned(frames, matrices, (), width, height, antialias=True)
            table = self._parameters.frames
            launches.inputs(table, plans, self._colors[channels], inputs)
            self._store.done(frames)
        return inputs

    def warp_views(
        self,
        samples: Sequence[ViewSample],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> list[NDArray[np.uint8]]:
        """Views in their frames' colour orders, all in one launch."""
        if not samples:
            return []
        frames = [sample.frame for sample in samples]
        sizes = [width * height * frame.channels for frame in frames]
        ends = np.cumsum(sizes, dtype=np.int64)
        matrices = np.stack([sample.frame_from_view for sample in samples])
        reduce = antialias and interpolation != "nearest"
        plans = self._planned(frames, matrices, ends - sizes, width, height, reduce)
        host, result = self._results(int(ends[-1]))
        launches.views(
            self._parameters.frames,
            plans,
            self._parameters.offsets[: len(samples)],
            result,
            width,
            height,
            interpolation,
            has_alpha=any(frame.channels == 4 for frame in frames),
        )
        self._store.done(frames)
        if host is not result:
            host.copy_(result, non_blocking=True)
            torch.cuda.current_stream(self._device).synchronize()
        pixels = host.numpy()
        return [
            pixels[end - size : end].reshape(height, width, *frame.pixels.shape[2:]).copy()
            for frame, size, end in zip(frames, sizes, ends, strict=True)
        ]

    def _planned(
        self,
        frames: Sequence[Frame],
        matrices: NDArray[np.float64],
        offsets: Sequence[int] | NDArray[np.int64],
        width: int,
        height: int,
        antialias: bool,
    ) -> Plans:
        """The views' plans, their frames and parameters on the device."""
        distinct = _distinct(frames)
        places = {id(frame): number for number, frame in enumerate(distinct)}
        self._reserve(len(distinct), len(frames))
        self._store.stage(distinct)
        rows = [frame_row(pixels, color) for pixels, color in self._store.upload(distinct)]
        self._parameters.write(rows, [places[id(frame)] for frame in frames], matrices, offsets)
        self._parameters.send()
        self._parameters.sent()
        plans = self._plans.first(len(frames))
        launches.plan(self._parameters.frames, plans, width, height, antialias)
        return plans

    def _reserve(self, frames: int, views: int) -> None:
        """Room for so many, doubled until it suffices."""
        if frames <= self._parameters.max_frames and views <= self._parameters.max_views:
            return
        frames = max(self._parameters.max_frames, _power(frames))
        views = max(self._parameters.max_views, _power(views))
        self._parameters = Parameters(frames, views, self._device)
        self._plans = Plans.over(self._parameters.frame_of_view, self._parameters.matrices)

    def _results(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Memory for views on the host and on the device, one and the same without CUDA."""
        if len(self._host) < size:
            is_cuda = self._device.type == "cuda"
            self._host = torch.empty(_power(size), dtype=torch.uint8, pin_memory=is_cuda)
            self._result = self._host.to(self._device) if is_cuda else self._host
        same = self._host is self._result
        host = self._host[:size]
        return host, host if same else self._result[:size]


def _distinct(frames: Sequence[Frame]) -> list[Frame]:
    """Every frame once, in the order of their first appearance."""
    return list({id(frame): frame for frame in frames}.values())


def _power(size: int) -> int:
    """The next power of two."""
    return 1 << max(0, size - 1).bit_length()
