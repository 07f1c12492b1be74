# SPDX-License-Identifier: Apache-2.0
"""What a warping back end does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import Interpolation


@dataclass(frozen=True, eq=False)
class InputSample:
    """One network input to take: ``frame_from_crop`` is 3×3 in pixels of both."""

    frame: Frame
    frame_from_crop: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewSample:
    """One view to take: ``frame_from_view`` is 3×3 in pixels of both."""

    frame: Frame
    frame_from_view: NDArray[np.float64]


class WarpBackend(Protocol):
    """Samples frames. Pixels outside a frame or with w <= 0 are black.

    No method reads, copies or converts more of a frame than the view covers. A class that derives
    from this one writes ``warp_view`` or ``warp_views``; each is made of the other.
    """

    name: str

    def sample_inputs(
        self, samples: Sequence[InputSample], width: int, height: int, channels: int
    ) -> torch.Tensor:
        """Antialiased network inputs, float32 N×channels×height×width in [0, 1].

        Three channels are RGB, one is gray (Rec. 601), whatever the frames' colour orders are.
        """

    def warp_view(
        self,
        frame: Frame,
        frame_from_view: NDArray[np.float64],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> NDArray[np.uint8]:
        """One view, uint8 height×width (gray) or height×width×C in the frame's colour order.

        ``antialias`` concerns linear and cubic interpolation; nearest takes pixels as they are.
        """
        sample = ViewSample(frame, frame_from_view)
        return self.warp_views([sample], width, height, interpolation, antialias)[0]

    def warp_views(
        self,
        samples: Sequence[ViewSample],
        width: int,
        height: int,
        interpolation: Interpolation = "linear",
        antialias: bool = True,
    ) -> list[NDArray[np.uint8]]:
        """Several views of any frames in one call, each what ``warp_view`` gives for it."""
        return [
            self.warp_view(s.frame, s.frame_from_view, width, height, interpolation, antialias)
            for s in samples
        ]
