# SPDX-License-Identifier: Apache-2.0
"""Network outputs read as views of the frame, with their classes and their uncertainties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_evidence import corners_given_boxes
from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.quads import (
    are_convex_clockwise,
    frame_from_view_of_quad,
    quad_sides_px,
)
from stn_perception.geometry.uncertainty import (
    corner_sigmas_px,
    crop_variances_px,
    transformed_corner_variances,
)
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.network_output import NetworkOutput
from stn_perception.runtime.results import ViewEstimate
from stn_perception.runtime.settings import PipelineSettings, view_size
from stn_perception.runtime.view_check import ViewRefused

Matrix = NDArray[np.float64]

# exp of this still leaves room for squares in float64; no honest variance is near it.
_LARGEST_LOG_VARIANCE = 60.0


@dataclass(frozen=True, eq=False)
class BoxViews:
    """N boxes with the views that the network sees in them; transforms are N×3×3 in pixels.

    Attributes:
        indices: Place of each region in its request.
        regions: The boxes.
        rows: The boxes as numbers, N×5.
        frame_sizes: N×2, width and height of each frame in pixels.
        frame_from_crop: Of the crops that the network saw.
        crop_from_view: What it predicted.
        frame_from_view: Both composed, with the views in front of the camera.
        corners: N×4×2 pixels, the views' corners in the frame.
    """

    indices: Sequence[int]
    regions: Sequence[Region]
    rows: Matrix
    frame_sizes: Matrix
    frame_from_crop: Matrix
    crop_from_view: Matrix
    frame_from_view: Matrix
    corners: Matrix


def view_estimates(
    boxes: BoxViews, output: NetworkOutput, card: ModelCard, settings: PipelineSettings
) -> list[ViewEstimate | ViewRefused]:
    """The estimate for each box, or why there is none.

    Refused are boxes for which the network's values are not finite, its score or its corner
    deviations are beyond the settings' limits, or its transform folds within the crop.

    Args:
        boxes: What the network looked at, and where it saw views.
        output: Its outputs for them.
        card: The model's card.
        settings: The pipeline's settings.
    """
    refusals: dict[int, ViewRefused] = {}
    if output.class_logits is None:
        classes = [(region.class_id, region.score) for region in boxes.regions]
    else:
        classes = _classes(output.class_logits, card.class_names, refusals)
    if output.score is not None:
        _refuse_scores(output.score, settings.min_score, refusals)
    transforms = boxes.frame_from_view
    covariances: Sequence[Matrix | None] = [None] * len(boxes.regions)
    shares: Sequence[float | None] = [None] * len(boxes.regions)
    if output.log_variance is not None:
        spread = _corner_covariances(boxes, output.log_variance, card, settings, refusals)
        corners = boxes.corners
        box_sigma = card.box_sigma if settings.box_sigma < 0 else settings.box_sigma
        if box_sigma > 0:
            transforms, corners, spread = _given_boxes(
                boxes, spread, view_size(settings, card), box_sigma
            )
        relative = corner_sigmas_px(spread) / quad_sides_px(corners)
        _refuse_sigmas(relative, settings.max_corner_sigma, refusals)
        covariances, shares = list(spread), relative.tolist()
    estimates: list[ViewEstimate | ViewRefused] = []
    for place, (class_id, score) in enumerate(classes):
        refusal = refusals.get(place)
        estimates.append(
            refusal
            or ViewEstimate(
                boxes.indices[place],
                boxes.regions[place],
                transforms[place],
                class_id,
                score,
                covariances[place],
                shares[place],
            )
        )
    return estimates


def _classes(
    logits: Matrix, names: tuple[str, ...], refusals: dict[int, ViewRefused]
) -> list[tuple[str, float]]:
    unusable: NDArray[np.bool_] = ~np.logical_and.reduce(np.isfinite(logits), axis=1)
    for place in np.flatnonzero(unusable).tolist():
        message = "the predicted class scores hold NaN or infinity"
        refusals.setdefault(place, ViewRefused(DropReason.NOT_FINITE, message))
    known = np.where(unusable[:, None], 0.0, logits) if unusable.any() else logits
    likelihoods = np.exp(known - known.max(axis=1, keepdims=True))
    best = likelihoods.argmax(axis=1).tolist()
    # The largest likelihood is exp(0) = 1.
    scores = (1.0 / likelihoods.sum(axis=1)).tolist()
    return [
        (names[number] if number < len(names) else str(number), score)
        for number, score in zip(best, scores, strict=True)
    ]


def _refuse_scores(scores: Matrix, limit: float, refusals: dict[int, ViewRefused]) -> None:
    for place in np.flatnonzero(~(scores >= limit)).tolist():
        message = f"the network's score is {scores[place]:.3g}, expected at least {limit:.3g}"
        refusals.setdefault(place, ViewRefused(DropReason.UNCERTAIN, message))


def _refuse_sigmas(shares: Matrix, limit: float, refusals: dict[int, ViewRefused]) -> None:
    if limit <= 0:
        return
    for place in np.flatnonzero(~(shares <= limit)).tolist():
        message = (
            f"the corners deviate by {shares[place]:.3g} of the side, expected at most {limit:.3g}"
        )
        refusals.setdefault(place, ViewRefused(DropReason.UNCERTAIN, message))


def _given_boxes(
    boxes: BoxViews, covariances: Matrix, size: tuple[int, int], box_sigma: float
) -> tuple[Matrix, Matrix, Matrix]:
    """Views, corners and covariances with the boxes as evidence; as they were where they fold."""
    corners, updated = corners_given_boxes(
        boxes.corners, covariances, boxes.rows, box_sigma, _sides_within(boxes)
    )
    convex = are_convex_clockwise(corners)
    if convex.all():
        return frame_from_view_of_quad(corners, *size), corners, updated
    corners = np.where(convex[:, None, None], corners, boxes.corners)
    moved = frame_from_view_of_quad(corners, *size)
    return (
        np.where(convex[:, None, None], moved, boxes.frame_from_view),
        corners,
        np.where(convex[:, None, None], updated, covariances),
    )


def _sides_within(boxes: BoxViews) -> NDArray[np.bool_]:
    """N×4, left, right, top, bottom: a side at the frame's border may have been cut there."""
    centers, halves = boxes.rows[:, :2], boxes.rows[:, 2:4] / 2
    first = centers - halves > 0.5
    last = centers + halves < boxes.frame_sizes - 1.5
    within: NDArray[np.bool_] = np.stack([first, last], axis=2).reshape(-1, 4)
    usable: NDArray[np.bool_] = within | (boxes.rows[:, 4:] != 0)
    return usable


def _corner_covariances(
    boxes: BoxViews,
    log_variance: Matrix,
    card: ModelCard,
    settings: PipelineSettings,
    refusals: dict[int, ViewRefused],
) -> Matrix:
    """N×8×8 in square frame pixels, through the crops that the network saw."""
    finite = np.isfinite(log_variance).all(axis=1)
    for place in np.flatnonzero(~finite).tolist():
        message = "the predicted variances hold NaN or infinity"
        refusals.setdefault(place, ViewRefused(DropReason.NOT_FINITE, message))
    logs = np.clip(log_variance, -_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE)
    corners, in_front = _corners_in_crops(boxes.crop_from_view, view_size(settings, card))
    for place in np.flatnonzero(~in_front).tolist():
        message = "the predicted transform folds within the crop"
        refusals.setdefault(place, ViewRefused(DropReason.INVALID_TRANSFORM, message))
    if refusals:
        unusable = (~(finite & in_front))[:, None]
        logs = np.where(unusable, 0.0, logs)
        corners = np.where(unusable[..., None], view_corners(1, 1), corners)
    variances = crop_variances_px(logs, card.input_width, card.input_height)
    return transformed_corner_variances(boxes.frame_from_crop, corners, variances)


def _corners_in_crops(
    crop_from_view: Matrix, size: tuple[int, int]
) -> tuple[Matrix, NDArray[np.bool_]]:
    """The views' corners in their crops, N×4×2, and which views lie in front of them."""
    mapped = view_corners(*size) @ np.swapaxes(crop_from_view[..., :2], 1, 2)
    mapped += crop_from_view[:, None, :, 2]
    weights = mapped[..., 2]
    # Both signs of a transform are the same; w is linear, so all corners must agree.
    in_front: NDArray[np.bool_] = np.abs(np.sign(weights).sum(axis=1)) == weights.shape[1]
    if not in_front.all():
        weights = np.where(in_front[:, None], weights, 1.0)
    return mapped[..., :2] / weights[..., None], in_front
