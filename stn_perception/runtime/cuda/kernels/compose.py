# SPDX-License-Identifier: Apache-2.0
# mypy: ignore-errors
"""Transforms of views from the network's theta, in float64, without leaving the device."""

import triton
import triton.language as tl


@triton.jit
def compose_transforms(
    frame_from_crop_ptr,
    theta_ptr,
    sides_ptr,
    result_ptr,
    count,
    THETA_ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """``frame_from_crop @ sides[0] @ theta @ sides[1]`` for every view, one lane an entry.

    Args:
        frame_from_crop_ptr: float64 count×3×3.
        theta_ptr: float32 or float64 count×THETA_ROWS×3; with two rows the last is (0, 0, 1).
        sides_ptr: float64 2×3×3.
        result_ptr: float64 count×3×3; may be frame_from_crop only if nothing else reads it.
        count: Number of views.
        THETA_ROWS: 2 or 3.
        BLOCK: Lanes of one program.
    """
    lane = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    used = lane < count * 9
    view, row, column = lane // 9, (lane % 9) // 3, lane % 3
    total = tl.full([BLOCK], 0.0, tl.float64)
    for k in tl.static_range(3):
        outer = tl.full([BLOCK], 0.0, tl.float64)  # (frame_from_crop @ sides[0])[row, k]
        for j in tl.static_range(3):
            crop = tl.load(frame_from_crop_ptr + view * 9 + row * 3 + j, used, 0.0)
            outer += crop * tl.load(sides_ptr + j * 3 + k)
        inner = tl.full([BLOCK], 0.0, tl.float64)  # (theta @ sides[1])[k, column]
        for j in tl.static_range(3):
            side = tl.load(sides_ptr + 9 + j * 3 + column, used, 0.0)
            if k < THETA_ROWS:
                at = view * (THETA_ROWS * 3) + k * 3 + j
                inner += tl.load(theta_ptr + at, used, 0.0).to(tl.float64) * side
            elif j == 2:
                inner += side
        total += outer * inner
    tl.store(result_ptr + lane, total, used)
