# SPDX-License-Identifier: Apache-2.0
"""Everyone who registers: each takes a pair and gives the view's points in the source."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.stn import SimilarityFamily, ThinPlateSplineFamily
from stn_perception.studies.registration.align_settings import AlignSettings
from stn_perception.studies.registration.aligning import Alignment, align
from stn_perception.studies.registration.cases import Picture, moved_points
from stn_perception.studies.registration.geometry import pixel_matrix, pixel_points
from stn_perception.studies.registration.levels import Level, Square, pair_levels
from stn_perception.studies.registration.predictor import (
    LOOK_FACTOR,
    predicted_starts,
    similarity_raw,
)
from stn_perception.studies.registration.predictor_study import shipped_predictor

OURS = "STN, theta optimised"
OURS_STARTS = "STN, theta optimised, 12 starts"
OURS_LEARNED = "STN, theta optimised, 3 predicted starts"
OURS_SPLINE = "STN, thin-plate spline optimised"
ECC = "OpenCV ECC"
ECC_LEVELS = "OpenCV ECC, coarse to fine"
KORNIA = "kornia, as it comes"
KORNIA_LONG = "kornia, rate 0.03, 200 steps a level"
# Chosen on made pairs of seed 100, which no table uses.
BLUR_PX = 0.5
PREDICTED_STARTS = 3
SPLINE_GRID = (12, 12)
SPLINE = AlignSettings(control_grid=SPLINE_GRID, stiffness=3e3)


@dataclass(frozen=True, eq=False)
class Registered:
    """What a method found: points H×W×2 in the source's pixels, and the matrix if there is one."""

    points: NDArray[np.float64]
    matrix: NDArray[np.float64] | None


Method = Callable[[Picture, Picture], Registered]


def made_methods() -> Mapping[str, Method]:
    """Who takes part on the many made pairs."""
    return {
        OURS: by_similarity,
        ECC: by_ecc,
        ECC_LEVELS: by_ecc_levels,
        KORNIA: lambda view, source: by_kornia(view, source, 100, 1e-4, 1e-3),
    }


def file_methods() -> Mapping[str, Method]:
    """Who takes part on the files of a similarity: also who takes many seconds a pair."""
    longer = {KORNIA_LONG: lambda view, source: by_kornia(view, source, 200, 1e-8, 3e-2)}
    return {**made_methods(), **longer}


def range_methods() -> Mapping[str, Method]:
    """Who takes part where pictures lie far apart."""
    return {
        OURS: by_similarity,
        OURS_STARTS: by_similarity_starts,
        OURS_LEARNED: by_learned_start,
        ECC: by_ecc,
        ECC_LEVELS: by_ecc_levels,
    }


def spline_methods() -> Mapping[str, Method]:
    """Who takes part where the truth is a spline."""
    return {
        "no registration": lambda view, _: _of_matrix(np.eye(3), view),
        OURS_SPLINE: by_spline,
        "OpenCV ECC, affine": by_ecc,
        "OpenCV DIS optical flow": by_flow,
    }


def by_similarity(view: Picture, source: Picture) -> Registered:
    """Four numbers, Gauss-Newton from the identity."""
    start = torch.zeros(1, 4, dtype=torch.float64)
    found = align(pair_levels(view, source, BLUR_PX), SimilarityFamily(), start, AlignSettings())
    return _of_matrix(pixel_matrix(found.theta, Square.around(*view.shape)), view)


def by_similarity_starts(view: Picture, source: Picture) -> Registered:
    """Every 30° a start on the coarsest level; the best goes on to the finer ones."""
    levels = pair_levels(view, source, BLUR_PX)
    angles = torch.arange(12, dtype=torch.float64) * (math.pi / 6)
    turned = similarity_raw(torch.zeros(12, 2), angles, torch.zeros(12))
    best = _best_start(levels[:1], turned)
    found = align(levels[1:], SimilarityFamily(), best.raw, AlignSettings())
    return _of_matrix(pixel_matrix(found.theta, Square.around(*view.shape)), view)


def by_learned_start(view: Picture, source: Picture) -> Registered:
    """The predictor's likeliest starts on the level that it looks at; the best goes on."""
    levels = pair_levels(view, source, BLUR_PX, (LOOK_FACTOR, 2, 1))
    starts = predicted_starts(shipped_predictor(), levels[0], PREDICTED_STARTS)
    found = _best_start(levels[:1], starts)
    found = align(levels[1:], SimilarityFamily(), found.raw, AlignSettings())
    return _of_matrix(pixel_matrix(found.theta, Square.around(*view.shape)), view)


def _best_start(coarse: list[Level], starts: torch.Tensor) -> Alignment:
    """A few steps from each start, N×4; the one that leaves least difference."""
    quick = AlignSettings(steps=6)
    tried = [align(coarse, SimilarityFamily(), start[None], quick) for start in starts]
    return min(tried, key=lambda found: found.difference)


def by_spline(view: Picture, source: Picture) -> Registered:
    """A spline of 12×12 control points, from the identity.

    Smoothing and warping do not commute where the spline stretches, so that the finest level is
    not smoothed. Which interpolation made the view is not told: both are tried, and the one that
    leaves less difference between the pictures is kept.
    """
    family = ThinPlateSplineFamily(None, *SPLINE_GRID).double()
    start = torch.zeros(1, family.parameter_count, dtype=torch.float64)
    near = align(pair_levels(view, source, BLUR_PX, (8, 4, 2)), family, start, SPLINE)
    finest = pair_levels(view, source, 0.0, (1,))
    cubic = align(finest, family, near.raw, SPLINE)
    linear = align(finest, family, cubic.raw, replace(SPLINE, mode="bilinear"))
    found = min(cubic, linear, key=lambda each: each.difference)
    return Registered(pixel_points(found.theta, Square.around(*view.shape), SPLINE_GRID), None)


def by_ecc(view: Picture, source: Picture) -> Registered:
    """ECC with an affine transform: it has no similarity, and the scale is asked for."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 500, 1e-8)
    matrix = np.eye(2, 3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECC(
            view.astype(np.float32), source.astype(np.float32), matrix, cv2.MOTION_AFFINE, criteria
        )
    except cv2.error:
        # It does not converge: what it began with is its answer.
        found = matrix
    return _of_matrix(np.vstack([found, [0.0, 0.0, 1.0]]).astype(np.float64), view)


def by_ecc_levels(view: Picture, source: Picture) -> Registered:
    """ECC over OpenCV's own pyramid."""
    options = cv2.ECCParameters()
    options.motionType = cv2.MOTION_AFFINE
    options.criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 500, 1e-8)
    matrix = np.eye(2, 3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECCMultiScale(
            view.astype(np.uint8), source.astype(np.uint8), matrix, options
        )
    except cv2.error:
        found = matrix
    return _of_matrix(np.vstack([found, [0.0, 0.0, 1.0]]).astype(np.float64), view)


def by_kornia(
    view: Picture, source: Picture, steps: int, tolerance: float, rate: float
) -> Registered:
    """Its `ImageRegistrator` with a similarity: Adam on the mean absolute difference."""
    from kornia.geometry import ImageRegistrator

    registrator = ImageRegistrator(
        "similarity", num_iterations=steps, tolerance=tolerance, lr=rate
    )
    moved, wanted = (
        torch.from_numpy(picture / 255.0).float()[None, None] for picture in (source, view)
    )
    found = registrator.register(moved, wanted)
    assert isinstance(found, torch.Tensor)
    theta = found.detach()[0].numpy().astype(np.float64)
    height, width = view.shape
    to_normal = np.array(
        [[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]]
    )
    return _of_matrix(np.linalg.inv(to_normal) @ theta @ to_normal, view)


def by_flow(view: Picture, source: Picture) -> Registered:
    """Dense inverse search at its finest preset."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow.setFinestScale(0)
    start = np.zeros((*view.shape, 2), np.float32)
    moved = np.asarray(flow.calc(view.astype(np.uint8), source.astype(np.uint8), start))
    return Registered(moved_points(np.eye(3), view.shape) + moved, None)


def _of_matrix(matrix: NDArray[np.float64], view: Picture) -> Registered:
    return Registered(moved_points(matrix, view.shape), matrix)
