# SPDX-License-Identifier: Apache-2.0
"""What a call tells the kernels, in one block that one copy brings to the device.

The block is written on the host (pinned where there is a CUDA device) and mirrored on the
device; its addresses never change, so a CUDA graph can hold the copy and the kernels that read it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.cuda.plan_layout import FRAME_FIELDS
from stn_perception.runtime.cuda.streams import new_event

_ALIGNMENT = 16


class Parameters:
    """Frames, transforms and places of up to ``max_views`` views of ``max_frames`` frames.

    Attributes:
        frames: int64 F×FRAME_FIELDS on the device.
        frame_of_view: int32 N on the device.
        matrices: float64 N×3×3 on the device.
        offsets: int64 N on the device, where each view begins in the result.
    """

    def __init__(self, max_frames: int, max_views: int, device: torch.device) -> None:
        sections = {
            "frames": ((max_frames, FRAME_FIELDS), torch.int64),
            "frame_of_view": ((max_views,), torch.int32),
            "matrices": ((max_views, 3, 3), torch.float64),
            "offsets": ((max_views,), torch.int64),
        }
        starts, size = {}, 0
        for name, (shape, dtype) in sections.items():
            starts[name] = size
            size += -(-int(np.prod(shape)) * dtype.itemsize // _ALIGNMENT) * _ALIGNMENT
        self._is_cuda = device.type == "cuda"
        self._host = torch.zeros(size, dtype=torch.uint8, pin_memory=self._is_cuda)
        self._device = torch.zeros(size, dtype=torch.uint8, device=device)
        host, there = (
            {
                name: _section(block, starts[name], shape, dtype)
                for name, (shape, dtype) in sections.items()
            }
            for block in (self._host, self._device)
        )
        self._arrays: dict[str, NDArray[np.generic]] = {k: v.numpy() for k, v in host.items()}
        self.frames, self.frame_of_view = there["frames"], there["frame_of_view"]
        self.matrices, self.offsets = there["matrices"], there["offsets"]
        self._taken = new_event(device)

    @property
    def max_frames(self) -> int:
        """How many frames fit."""
        return len(self.frames)

    @property
    def max_views(self) -> int:
        """How many views fit."""
        return len(self.frame_of_view)

    def write(
        self,
        frames: Sequence[Sequence[int]],
        frame_of_view: Sequence[int],
        matrices: NDArray[np.float64],
        offsets: Sequence[int] | NDArray[np.int64] = (),
    ) -> None:
        """Fill the host's block; views that are not given show nothing.

        Args:
            frames: Rows of ``frame_table.frame_row``.
            frame_of_view: Which frame each view is of.
            matrices: N×3×3, frame_from_view or frame_from_crop in pixels.
            offsets: Where each view begins in the result; empty where nothing asks.
        """
        count = len(frame_of_view)
        if len(frames) > self.max_frames or count > self.max_views:
            raise ValueError(
                f"{count} views of {len(frames)} frames were given, expected at most "
                f"{self.max_views} of {self.max_frames}"
            )
        if self._taken is not None:
            self._taken.synchronize()  # the last copy has left the block
        if frames:
            self._arrays["frames"][: len(frames)] = frames
        self._arrays["frame_of_view"][:count] = frame_of_view
        self._arrays["frame_of_view"][count:] = 0
        self._arrays["matrices"][:count] = matrices
        self._arrays["matrices"][count:] = 0  # a transform without w > 0 shows nothing
        if len(offsets):
            self._arrays["offsets"][: len(offsets)] = offsets

    def send(self) -> None:
        """Start the copy on the current stream; what is launched after it sees the block."""
        self._device.copy_(self._host, non_blocking=True)

    def sent(self) -> None:
        """Note that the copy stands in the current stream, so that ``write`` waits for it.

        Not part of ``send``, which may be inside a CUDA graph.
        """
        if self._taken is not None:
            self._taken.record(torch.cuda.current_stream(self._device.device))


def _section(
    block: torch.Tensor, start: int, shape: tuple[int, ...], dtype: torch.dtype
) -> torch.Tensor:
    size = int(np.prod(shape)) * dtype.itemsize
    return block[start : start + size].view(dtype).view(shape)
