# SPDX-License-Identifier: Apache-2.0
"""The ways to take the views of a case, ours and the peers'."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.benchmarks.peers import tensor_warps as peers
from stn_perception.benchmarks.warp.cases import WarpCase
from stn_perception.runtime.backends import ViewSample, get_backend
from stn_perception.runtime.frame import Frame

Views = Callable[[], list[NDArray[np.uint8]] | NDArray[np.uint8]]

OURS, OURS_AVERAGED, OPENCV = "ours", "ours antialiased", "OpenCV loop"
TORCH, KORNIA, KORNIA_CROPS = "torch", "kornia warp_perspective", "kornia crop_and_resize"
TORCH_FLOATS = "torch, floats to floats"
TENSORS = (TORCH, KORNIA, KORNIA_CROPS)


def contenders(case: WarpCase, backend: str) -> dict[str, Callable[[], object]]:
    """All of them: uint8 frames to uint8 views, but for torch from floats to floats.

    What does not depend on the pixels (transforms in the form that a peer wants) is made before.
    """
    everyone: dict[str, Callable[[], object]] = {
        OURS: ours(case, backend, antialias=False),
        OURS_AVERAGED: ours(case, backend, antialias=True),
        OPENCV: opencv_loop(case),
    }
    return everyone | tensor_ways(case)


def ours(case: WarpCase, backend: str, antialias: bool) -> Views:
    """One call of the back end."""
    taker = get_backend(backend)
    frames = [Frame(pixels, "rgb") for pixels in case.frames]
    samples = [
        ViewSample(frames[view % len(frames)], transform)
        for view, transform in enumerate(case.frame_from_view)
    ]
    size = case.view_size
    return lambda: taker.warp_views(samples, size, size, antialias=antialias)


def opencv_loop(case: WarpCase) -> Views:
    """One ``cv2.warpPerspective`` a view, nothing around it."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    jobs = [(case.frame_of(view), matrix) for view, matrix in enumerate(case.frame_from_view)]
    size = (case.view_size, case.view_size)

    def run() -> list[NDArray[np.uint8]]:
        return [
            np.asarray(cv2.warpPerspective(frame, matrix, size, flags=flags))
            for frame, matrix in jobs
        ]

    return run


def tensor_ways(case: WarpCase) -> dict[str, Callable[[], object]]:
    """Torch's and kornia's."""
    frames, size = case.frames, case.view_size
    frame_size = (frames.shape[2], frames.shape[1])
    theta = peers.theta_of(case.frame_from_view, frame_size, size)
    inverses = torch.from_numpy(np.linalg.inv(case.frame_from_view)).to(torch.float32)
    corners = peers.pixel_centers_of_corners(case.frame_from_view, size)
    ready = peers.planes_of(frames)

    def whole(views: Callable[[torch.Tensor], torch.Tensor]) -> Views:
        return lambda: peers.pixels_of(views(peers.planes_of(frames)))

    return {
        TORCH: whole(lambda planes: peers.torch_views(planes, theta, size)),
        TORCH_FLOATS: lambda: peers.torch_views(ready, theta, size),
        KORNIA: whole(lambda planes: peers.kornia_views(planes, inverses, size)),
        KORNIA_CROPS: whole(lambda planes: peers.kornia_crops(planes, corners, size)),
    }
