# SPDX-License-Identifier: Apache-2.0
"""The steps of one batch on the device, in tensors that exist: what a CUDA graph holds.

Parameters in, crop, network, compose, refine, warp, results out. Nothing here waits for the
device or looks at a value, and nothing but the network allocates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.runtime.cuda import launches
from stn_perception.runtime.cuda.colors import input_factors
from stn_perception.runtime.cuda.parameters import Parameters
from stn_perception.runtime.cuda.plans import Plans
from stn_perception.runtime.settings import Interpolation

Network = Callable[[torch.Tensor], Any]


@dataclass(frozen=True)
class BatchShape:
    """What is fixed when the steps are prepared.

    Attributes:
        input_width, input_height: Of the network's input, in pixels.
        channels: Of the network's input, 1 or 3.
        mean, std: Normalisation of the network's input.
        view_width, view_height: Of the views, in pixels.
        view_channels: The most channels that a frame has: 1, 3 or 4.
        refinement_steps: How often the transform is refined.
        refinement_margin: How much larger than the view the next crop is.
        interpolation, antialias: How views are sampled.
    """

    input_width: int
    input_height: int
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    view_width: int
    view_height: int
    view_channels: int = 3
    refinement_steps: int = 0
    refinement_margin: float = 1.0
    interpolation: Interpolation = "linear"
    antialias: bool = True

    @property
    def view_bytes(self) -> int:
        """Room for one view."""
        return self.view_width * self.view_height * self.view_channels


class BatchSteps:
    """The steps of up to ``count`` boxes.

    Args:
        shape: Sizes and choices.
        network: Normalised inputs to theta, or to a dictionary with it; on ``device``.
        count: Boxes in the batch.
        parameters: What a call tells; the first ``count`` matrices are frame_from_crop.
        device: Where everything is computed.
    """

    def __init__(
        self,
        shape: BatchShape,
        network: Network,
        count: int,
        parameters: Parameters,
        device: torch.device,
    ) -> None:
        self._shape = shape
        self._network = network
        self._parameters = parameters
        is_cuda = device.type == "cuda"
        crops = parameters.matrices[:count]
        of_view = parameters.frame_of_view[:count]
        self._crop_plans = [Plans.over(of_view, crops)]
        for _ in range(shape.refinement_steps):
            self._crop_plans.append(Plans.over(of_view, torch.zeros_like(crops)))
        self._view_plans = Plans.over(of_view, torch.zeros_like(crops))
        self._offsets = parameters.offsets[:count]
        size = (count, shape.channels, shape.input_height, shape.input_width)
        self._inputs = torch.zeros(size, dtype=torch.float32, device=device)
        self._views = torch.zeros(count * shape.view_bytes, dtype=torch.uint8, device=device)
        self._colors = input_factors(shape.channels, device, shape.mean, shape.std)
        self._view_sides, self._next_sides = (
            torch.from_numpy(pair).to(device) for pair in sides(shape)
        )
        self.host_views = _twin(self._views, is_cuda)
        self.host_exact = _twin(self._view_plans.exact, is_cuda)
        self.host_outputs: dict[str, torch.Tensor] = {}

    def run(self) -> None:
        """Launch everything on the current stream; the host's results are whole when it is done.

        The network's outputs get their place in the first call, which must not be in a graph.
        """
        shape, frames = self._shape, self._parameters.frames
        self._parameters.send()
        output: Any = None
        for step, plans in enumerate(self._crop_plans):
            # What a refinement made is oriented as a view is; a box's crop is in front already.
            launches.plan(
                frames, plans, shape.input_width, shape.input_height, True, orient=step > 0
            )
            launches.inputs(frames, plans, self._colors, self._inputs)
            output = self._network(self._inputs)
            theta = output if isinstance(output, torch.Tensor) else output["theta"]
            is_last = step == shape.refinement_steps
            sides = self._view_sides if is_last else self._next_sides
            following = self._view_plans if is_last else self._crop_plans[step + 1]
            launches.compose(plans.matrices, theta, sides, following.matrices)
        width, height = shape.view_width, shape.view_height
        reduce = shape.antialias and shape.interpolation != "nearest"
        launches.plan(frames, self._view_plans, width, height, reduce, orient=True)
        launches.views(
            frames,
            self._view_plans,
            self._offsets,
            self._views,
            width,
            height,
            shape.interpolation,
            has_alpha=shape.view_channels == 4,
        )
        _fetch(self.host_views, self._views)
        _fetch(self.host_exact, self._view_plans.exact)
        outputs = {"theta": output} if isinstance(output, torch.Tensor) else output
        for name, values in outputs.items():
            if values is not None:
                if name not in self.host_outputs:
                    self.host_outputs[name] = torch.empty_like(
                        values, device="cpu", pin_memory=values.is_cuda
                    )
                self.host_outputs[name].copy_(values, non_blocking=True)


def sides(shape: BatchShape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What stands left and right of theta, for views and for the next crops; 2×3×3 each."""
    crop = pixel_from_normalized(shape.input_width, shape.input_height)
    margin = np.diag([shape.refinement_margin, shape.refinement_margin, 1.0])
    view = normalized_from_pixel(shape.view_width, shape.view_height)
    following = margin @ normalized_from_pixel(shape.input_width, shape.input_height)
    return np.stack([crop, view]), np.stack([crop, following])


def _twin(tensor: torch.Tensor, is_cuda: bool) -> torch.Tensor:
    """A tensor's pinned place on the host; without CUDA the tensor itself."""
    return torch.empty_like(tensor, device="cpu", pin_memory=True) if is_cuda else tensor


def _fetch(host: torch.Tensor, device: torch.Tensor) -> None:
    if host is not device:
        host.copy_(device, non_blocking=True)
