# SPDX-License-Identifier: Apache-2.0
"""Frames as the kernels know them: one row of a table each, with the first pixel's address."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from stn_perception.messages.encodings import CHANNELS, ColorOrder
from stn_perception.runtime.cuda.plan_layout import COLOR_ORDERS, FRAME_FIELDS

# Kernels count columns, rows and bytes within a row in 32 bits.
_LARGEST_SIDE = 1 << 24


def frame_row(pixels: torch.Tensor, color: ColorOrder) -> tuple[int, ...]:
    """The table's row of one frame, read where it lies.

    Args:
        pixels: uint8 H×W (gray) or H×W×C; rows may be padded, the pixels of a row may not.
        color: Order of the channels.

    Raises:
        ValueError: Another type, shape or layout.
    """
    channels = CHANNELS[color]
    shape, strides = tuple(pixels.shape), tuple(pixels.stride())
    right = len(shape) == 2 if channels == 1 else len(shape) == 3 and shape[2] == channels
    if pixels.dtype != torch.uint8 or not right or 0 in shape or max(shape) > _LARGEST_SIDE:
        raise ValueError(
            f"a {color} frame has {pixels.dtype} pixels of shape {shape}, expected torch.uint8 "
            f"H×W{'' if channels == 1 else f'×{channels}'} with H, W from 1 to {_LARGEST_SIDE}"
        )
    if strides[1:] != ((1,) if channels == 1 else (channels, 1)):
        raise ValueError(
            f"a {color} frame has strides {strides}, expected pixels of a row one after another"
        )
    height, width = shape[:2]
    return (
        pixels.data_ptr(),
        width,
        height,
        strides[0],
        channels,
        COLOR_ORDERS.index(color),
    )


def frame_table(
    frames: Sequence[tuple[torch.Tensor, ColorOrder]], device: torch.device
) -> torch.Tensor:
    """int64 F×FRAME_FIELDS on a device, of frames that lie on it.

    The table holds addresses: keep the frames as long as it is used.
    """
    for pixels, color in frames:
        if pixels.device.type != device.type:
            raise ValueError(
                f"a {color} frame lies on {pixels.device}, expected {device} as the table"
            )
    rows = [frame_row(pixels, color) for pixels, color in frames]
    return torch.tensor(rows, dtype=torch.int64, device=device).reshape(-1, FRAME_FIELDS)
