# SPDX-License-Identifier: Apache-2.0
"""The pixels of tracked views that somebody looks at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stn_perception.runtime.depth_view import depth_view
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import Prediction
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.tracker import TrackedView
from stn_perception.runtime.view_cameras import ViewCameras
from stn_perception.runtime.warp_backend import ViewSample, WarpBackend


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """A frame whose views have their place in time.

    Attributes:
        request: The frame.
        prediction: What was predicted for it.
        views: Its tracked views.
        wanted: Slots whose views somebody looks at; None for all.
        stage_s: Seconds per stage so far.
    """

    request: FrameRequest
    prediction: Prediction
    views: Sequence[TrackedView]
    wanted: Collection[int] | None
    stage_s: dict[str, float] = field(default_factory=dict)

    def wants(self, view: TrackedView) -> bool:
        """Whether somebody looks at the pixels of one of its views."""
        return view.slot is not None and (self.wanted is None or view.slot in self.wanted)


@dataclass(frozen=True, eq=False)
class TrackedItem:
    """A view with its frame's number and its frame."""

    number: int
    frame: TrackedFrame
    view: TrackedView


def wanted_pixels(
    items: Sequence[TrackedItem],
    views: ViewCameras,
    size: tuple[int, int],
    settings: PipelineSettings,
    backend: WarpBackend,
) -> dict[int, NDArray[np.uint8]]:
    """The views that somebody looks at, by place."""
    wanted = [place for place, item in enumerate(items) if item.frame.wants(item.view)]
    if not wanted:
        return {}
    samples = [
        ViewSample(items[place].frame.request.frame, views.frame_from_view[place])
        for place in wanted
    ]
    pixels = backend.warp_views(samples, *size, settings.interpolation, settings.antialias)
    return dict(zip(wanted, pixels, strict=True))


def wanted_depths(
    items: Sequence[TrackedItem], views: ViewCameras
) -> dict[int, NDArray[np.float32]]:
    """The depths of views that somebody looks at, by place, where they are known."""
    depths = {}
    for place, item in enumerate(items):
        request = item.frame.request
        if (
            request.depth is not None
            and request.intrinsics is not None
            and item.frame.wants(item.view)
        ):
            depths[place] = depth_view(
                request.depth.meters,
                views.frame_from_view[place],
                views.cameras[place],
                request.intrinsics,
            )
    return depths


def depth_encoding(item: TrackedItem, is_seen: bool) -> str:
    """What the depth of a view is published in; '' where it has none."""
    depth = item.frame.request.depth
    return depth.encoding if is_seen and depth is not None else ""
