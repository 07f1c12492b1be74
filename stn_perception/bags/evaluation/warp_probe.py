# SPDX-License-Identifier: Apache-2.0
"""Does a view stay where it is when the crop is turned? Equivariance, without any truth.

The crop is cut from the frame itself along a turned box, so the only interpolation is the one
that every crop has. The turned box bounds the plain view's corners in its own axes, as a detector
that saw the turned picture would bound the object.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import WarpProbe
from stn_perception.geometry import corner_error_px, quad_side_px, view_quad
from stn_perception.geometry.boxes import OrientedBox
from stn_perception.messages.regions import Region
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import Prediction

_SCALE = (0.95, 1.05)
_SHIFT = 0.03

Quad = NDArray[np.float64]


def equivariance_errors(
    pipeline: Pipeline,
    request: FrameRequest,
    prediction: Prediction,
    frame: int,
    probe: WarpProbe,
) -> dict[int, float]:
    """Mean corner distance of each view to that of its turned crop, as a share of the side.

    A turned crop without a usable answer counts as 1, a whole side.

    Args:
        pipeline: Of the model.
        request: The frame.
        prediction: What the model said about it.
        frame: The frame's number; with it every draw is the same in every run.
        probe: How far to turn.

    Returns:
        By place of the region; those that led to no view are left out.
    """
    size = (prediction.view_width, prediction.view_height)
    quads, regions = {}, []
    for estimate in prediction.estimates:
        quad = view_quad(estimate.frame_from_view, *size)
        quads[estimate.index] = quad
        draw = np.random.default_rng([frame, estimate.index])
        regions.append(_turned(estimate.region, quad, draw, probe.angle_rad))
    if not regions:
        return {}
    (second,) = pipeline.predict([replace(request, regions=tuple(regions))])
    errors = dict.fromkeys(quads, 1.0)
    places = list(quads)
    for estimate in second.estimates:
        place = places[estimate.index]
        quad = view_quad(estimate.frame_from_view, *size)
        distance, _ = corner_error_px(quad, quads[place], prediction.symmetry)
        errors[place] = float(distance / quad_side_px(quads[place]))
    return errors


def _turned(region: Region, quad: Quad, draw: np.random.Generator, angle_rad: float) -> Region:
    angle = draw.uniform(-angle_rad, angle_rad)
    cos, sin = math.cos(angle), math.sin(angle)
    axes = np.array([[cos, sin], [-sin, cos]])  # rows: the box's x and y axis in the frame
    along = quad @ axes.T
    low, high = along.min(axis=0), along.max(axis=0)
    size = (high - low) * draw.uniform(*_SCALE, size=2)
    center = ((low + high) / 2 + (high - low) * draw.uniform(-_SHIFT, _SHIFT, size=2)) @ axes
    box = OrientedBox(float(center[0]), float(center[1]), float(size[0]), float(size[1]), angle)
    return replace(region, box=box)
