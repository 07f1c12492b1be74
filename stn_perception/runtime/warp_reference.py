# SPDX-License-Identifier: Apache-2.0
"""The warping back end that the others are held to: torch, float64, in pixels, nothing clever."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.messages.encodings import GRAY_SHARES, RGB_PLACES
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.sampling_plan import SamplingPlan, sampling_plan
from stn_perception.runtime.settings import Interpolation
from stn_perception.runtime.warp_backend import InputSample, WarpBackend

_CUBIC = -0.75  # Keys' parameter as OpenCV and torch have it


class ReferenceBackend(WarpBackend):
    """``WarpBackend`` in plain arithmetic; see there for what the methods promise."""

    name = "reference"

    def sample_inputs(
        self, samples: Sequence[InputSample], width: int, height: int, channels: int
    ) -> torch.Tensor:
        """Network inputs, not rounded."""
        inputs = torch.zeros((len(samples), channels, height, width), dtype=torch.float32)
        for index, sample in enumerate(samples):
            crop = _warp(sample.frame, sample.frame_from_crop, width, height, "linear", True)
            inputs[index] = (_colors(crop, sample.frame, channels) / 255.0).to(torch.float32)
        return inputs

    def warp_view(
        self,
        frame: Frame,
        frame_from_view: NDArray[np.float64],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> NDArray[np.uint8]:
        """One view in the frame's colour order, rounded to the nearest level."""
        reduce = antialias and interpolation != "nearest"
        values = _warp(frame, frame_from_view, width, height, interpolation, reduce)
        rounded = values.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
        return np.ascontiguousarray(rounded[..., 0] if frame.pixels.ndim == 2 else rounded)


def _warp(
    frame: Frame,
    frame_from_view: NDArray[np.float64],
    width: int,
    height: int,
    interpolation: Interpolation,
    reduce: bool,
) -> torch.Tensor:
    """C×height×width float64 in [0, 255], black where there is no frame."""
    plan = sampling_plan(frame_from_view, width, height, frame.width, frame.height, reduce)
    if plan is None:
        return torch.zeros((frame.channels, height, width), dtype=torch.float64)
    x, y, w = _coordinates(plan.reduced_from_view, width, height)
    values = _interpolate(_part(frame, plan), x, y, interpolation)
    return torch.where(w > 0, values, torch.zeros((), dtype=torch.float64))


def _part(frame: Frame, plan: SamplingPlan) -> torch.Tensor:
    """The plan's part of the frame, averaged over its cells; C×rows×columns float64."""
    rows, columns = plan.inside(frame.width, frame.height)
    pixels = np.array(frame.pixels[rows, columns], dtype=np.float64)
    part = torch.from_numpy(pixels.reshape(*pixels.shape[:2], frame.channels)).permute(2, 0, 1)
    if not plan.is_reduced:
        return part
    top, bottom, left, right = plan.padding(frame.width, frame.height)
    part = torch.nn.functional.pad(part, (left, right, top, bottom))
    down = _area_weights(plan.height, plan.reduced_height)
    across = _area_weights(plan.width, plan.reduced_width)
    averaged: torch.Tensor = down @ part @ across.T
    return averaged.round()  # back ends keep uint8 between averaging and interpolation


def _area_weights(size: int, cells: int) -> torch.Tensor:
    """cells×size: the share of each pixel in each cell's mean."""
    edges = torch.arange(cells + 1, dtype=torch.float64) * (size / cells)
    pixels = torch.arange(size, dtype=torch.float64)
    low = torch.maximum(edges[:-1, None], pixels[None, :])
    high = torch.minimum(edges[1:, None], pixels[None, :] + 1)
    return (high - low).clamp(min=0) * (cells / size)


def _coordinates(
    part_from_view: NDArray[np.float64], width: int, height: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """x, y in the part and w, each height×width; x and y mean nothing where w <= 0."""
    matrix = torch.from_numpy(np.array(part_from_view, dtype=np.float64))
    columns = torch.arange(width, dtype=torch.float64)[None, :]
    rows = torch.arange(height, dtype=torch.float64)[:, None]
    x, y, w = (row[0] * columns + row[1] * rows + row[2] for row in matrix)
    safe = torch.where(w > 0, w, torch.ones((), dtype=torch.float64))
    far = float(2**31)  # beyond any image, and still exact as an index
    return (x / safe).clamp(-far, far), (y / safe).clamp(-far, far), w


def _interpolate(
    part: torch.Tensor, x: torch.Tensor, y: torch.Tensor, interpolation: Interpolation
) -> torch.Tensor:
    if interpolation == "nearest":
        return _gather(part, x.round().long(), y.round().long())
    taps = (0, 1) if interpolation == "linear" else (-1, 0, 1, 2)
    x_base, y_base = x.floor(), y.floor()
    result = torch.zeros((part.shape[0], *x.shape), dtype=torch.float64)
    for dy in taps:
        y_weight = _weight(y - y_base - dy, interpolation)
        for dx in taps:
            weight = y_weight * _weight(x - x_base - dx, interpolation)
            result += weight * _gather(part, x_base.long() + dx, y_base.long() + dy)
    return result


def _weight(distance: torch.Tensor, interpolation: Interpolation) -> torch.Tensor:
    d = distance.abs()
    if interpolation == "linear":
        return (1 - d).clamp(min=0)
    near = ((_CUBIC + 2) * d - (_CUBIC + 3)) * d * d + 1
    far = ((_CUBIC * d - 5 * _CUBIC) * d + 8 * _CUBIC) * d - 4 * _CUBIC
    return torch.where(d <= 1, near, torch.where(d < 2, far, torch.zeros_like(d)))


def _gather(part: torch.Tensor, column: torch.Tensor, row: torch.Tensor) -> torch.Tensor:
    height, width = part.shape[1:]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    values = part[:, row.clamp(0, height - 1), column.clamp(0, width - 1)]
    return torch.where(inside, values, torch.zeros((), dtype=torch.float64))


def _colors(crop: torch.Tensor, frame: Frame, channels: int) -> torch.Tensor:
    """RGB or gray planes of planes in the frame's colour order."""
    if frame.color == "gray":
        return crop.expand(channels, -1, -1)
    rgb = crop[list(RGB_PLACES[frame.color])]
    if channels == 3:
        return rgb
    weights = torch.tensor(GRAY_SHARES, dtype=torch.float64)
    return (weights[:, None, None] * rgb).sum(dim=0, keepdim=True)
