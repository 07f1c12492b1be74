# SPDX-License-Identifier: Apache-2.0
"""The warping back end for CPUs: OpenCV on the uint8 pixels that a view covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.messages.encodings import CHANNELS
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.gray import TO_GRAY
from stn_perception.runtime.sampling_plan import SamplingPlan, in_front, is_in_front, sampling_plan
from stn_perception.runtime.settings import Interpolation
from stn_perception.runtime.warp_backend import InputSample, WarpBackend

_FLAGS: dict[str, int] = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
# Where OpenCV offers a choice, float32 coordinates: its older fixed-point ones are 1/32 pixel.
_ACCURATE: dict[str, Any] = (
    {"hint": cv2.ALGO_HINT_ACCURATE} if hasattr(cv2, "ALGO_HINT_ACCURATE") else {}
)
_TO_RGB: dict[str, int | None] = {
    "gray": cv2.COLOR_GRAY2RGB,
    "rgb": None,
    "bgr": cv2.COLOR_BGR2RGB,
    "rgba": cv2.COLOR_RGBA2RGB,
    "bgra": cv2.COLOR_BGRA2RGB,
}


class OpenCvBackend(WarpBackend):
    """``WarpBackend`` on OpenCV; see there for what the methods promise."""

    name = "opencv"

    def sample_inputs(
        self, samples: Sequence[InputSample], width: int, height: int, channels: int
    ) -> torch.Tensor:
        """Network inputs, rounded to 1/255 as the views are."""
        inputs = np.empty((len(samples), height, width, channels), dtype=np.uint8)
        conversions = _TO_RGB if channels == 3 else TO_GRAY
        for index, sample in enumerate(samples):
            crop = self.warp_view(sample.frame, sample.frame_from_crop, width, height)
            conversion = conversions[sample.frame.color]
            converted = crop if conversion is None else cv2.cvtColor(crop, conversion)
            inputs[index] = converted.reshape(height, width, channels)
        planar = torch.from_numpy(inputs).permute(0, 3, 1, 2)
        return planar.to(torch.float32, memory_format=torch.contiguous_format).div_(255.0)

    def warp_view(
        self,
        frame: Frame,
        frame_from_view: NDArray[np.float64],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> NDArray[np.uint8]:
        """One view in the frame's colour order."""
        reduce = antialias and interpolation != "nearest"
        plan = sampling_plan(frame_from_view, width, height, frame.width, frame.height, reduce)
        if plan is None:
            return _black(frame, width, height)
        view: Any = cv2.warpPerspective(
            _part(frame, plan),
            plan.reduced_from_view,
            (width, height),
            flags=_FLAGS[interpolation] | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
            **_ACCURATE,
        )
        if not is_in_front(frame_from_view, width, height):
            view[~in_front(frame_from_view, width, height)] = 0
        result: NDArray[np.uint8] = view
        return result


def _part(frame: Frame, plan: SamplingPlan) -> NDArray[np.uint8]:
    rows, columns = plan.inside(frame.width, frame.height)
    part: Any = frame.pixels[rows, columns]
    if plan.is_reduced:
        padding = plan.padding(frame.width, frame.height)
        if any(padding):
            part = cv2.copyMakeBorder(part, *padding, cv2.BORDER_CONSTANT, value=0)
        size = (plan.reduced_width, plan.reduced_height)
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    result: NDArray[np.uint8] = part
    return result


def _black(frame: Frame, width: int, height: int) -> NDArray[np.uint8]:
    channels = CHANNELS[frame.color]
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.zeros(shape, dtype=np.uint8)
