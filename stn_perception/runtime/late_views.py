# SPDX-License-Identifier: Apache-2.0
"""The pixels of views for results that were made without them."""

from __future__ import annotations

from dataclasses import replace

from stn_perception.runtime.depth_view import depth_view
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.warp_backend import ViewSample, WarpBackend


def with_views(
    result: FrameResult, request: FrameRequest, settings: PipelineSettings, backend: WarpBackend
) -> FrameResult:
    """The same result with the pixels of every view that has a slot, as ``Pipeline`` gives them.

    Offline work tracks objects in order without their frames and warps later, anywhere.

    Args:
        result: Of this frame, without pixels.
        request: The frame, with its depth where it has one.
        settings: The pipeline's.
        backend: What warps.
    """
    seen = [item for item in result.objects if item.slot is not None]
    if not seen:
        return result
    samples = [ViewSample(request.frame, item.frame_from_view) for item in seen]
    size = seen[0].view_width, seen[0].view_height
    pixels = dict(
        zip(
            map(id, seen),
            backend.warp_views(samples, *size, settings.interpolation, settings.antialias),
            strict=True,
        )
    )
    objects = []
    for item in result.objects:
        if id(item) in pixels:
            item = replace(item, view=pixels[id(item)])
            if request.depth is not None and request.intrinsics is not None:
                depth = depth_view(
                    request.depth.meters,
                    item.frame_from_view,
                    item.virtual_camera,
                    request.intrinsics,
                )
                item = replace(item, depth_view=depth, depth_encoding=request.depth.encoding)
        objects.append(item)
    return replace(result, objects=tuple(objects))
