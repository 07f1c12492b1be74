# SPDX-License-Identifier: Apache-2.0
"""One network output read as a view of the frame, with its class and its uncertainty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_evidence import corners_given_box
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.pixels import (
    normalized_from_pixel,
    pixel_from_normalized,
    view_corners,
)
from stn_perception.geometry.quads import is_convex_clockwise, quad_side_px, view_quad
from stn_perception.geometry.uncertainty import (
    corner_sigma_px,
    crop_variances_px,
    transformed_corner_covariance,
)
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.network_output import NetworkOutput
from stn_perception.runtime.results import ViewEstimate
from stn_perception.runtime.settings import PipelineSettings, view_size
from stn_perception.runtime.view_check import ViewRefused, in_front_of_camera

Matrix = NDArray[np.float64]

# exp of this still leaves room for squares in float64; no honest variance is near it.
_LARGEST_LOG_VARIANCE = 60.0


def view_estimate(
    index: int,
    region: Region,
    crop_and_view: tuple[Matrix, Matrix],
    output: NetworkOutput,
    place: int,
    card: ModelCard,
    settings: PipelineSettings,
    frame_size: tuple[int, int],
) -> ViewEstimate:
    """The estimate for one box.

    Args:
        index: Place of the region in its request.
        region: The box.
        crop_and_view: ``frame_from_crop`` of the crop that the network saw, and the composed
            ``frame_from_view``.
        output: The network's output for the batch.
        place: The crop's place in the batch.
        card: The model's card.
        settings: The pipeline's settings.
        frame_size: Width and height of the frame in pixels.

    Raises:
        ViewRefused: The network's score or corner deviations are beyond the settings' limits.
    """
    frame_from_crop, frame_from_view = crop_and_view
    class_id, score = region.class_id, region.score
    if output.class_logits is not None:
        class_id, score = _best_class(output.class_logits[place], card.class_names)
    if output.score is not None:
        _check_score(float(output.score[place]), settings.min_score)
    covariance = share = None
    if output.log_variance is not None:
        covariance = _corner_covariance(frame_from_crop, output, place, card, settings)
        box_sigma = card.box_sigma if settings.box_sigma < 0 else settings.box_sigma
        size = view_size(settings, card)
        if box_sigma > 0:
            frame_from_view, covariance = _given_box(
                frame_from_view, covariance, size, region.box, box_sigma, frame_size
            )
        side = quad_side_px(view_quad(frame_from_view, *size))
        share = corner_sigma_px(covariance) / side
        _check_sigma(share, settings.max_corner_sigma)
    return ViewEstimate(index, region, frame_from_view, class_id, score, covariance, share)


def _best_class(logits: NDArray[np.float64], names: tuple[str, ...]) -> tuple[str, float]:
    if not np.isfinite(logits).all():
        raise ViewRefused(DropReason.NOT_FINITE, "the predicted class scores hold NaN or infinity")
    likelihoods = np.exp(logits - logits.max())
    best = int(likelihoods.argmax())
    name = names[best] if best < len(names) else str(best)
    return name, float(likelihoods[best] / likelihoods.sum())


def _check_score(score: float, limit: float) -> None:
    if not score >= limit:
        raise ViewRefused(
            DropReason.UNCERTAIN,
            f"the network's score is {score:.3g}, expected at least {limit:.3g}",
        )


def _check_sigma(share: float, limit: float) -> None:
    if limit > 0 and not share <= limit:
        raise ViewRefused(
            DropReason.UNCERTAIN,
            f"the corners deviate by {share:.3g} of the side, expected at most {limit:.3g}",
        )


def _given_box(
    frame_from_view: Matrix,
    covariance: Matrix,
    size: tuple[int, int],
    box: AxisAlignedBox | OrientedBox,
    box_sigma: float,
    frame_size: tuple[int, int],
) -> tuple[Matrix, Matrix]:
    """View and covariance with the box as evidence; unchanged where they would fold."""
    corners, updated = corners_given_box(
        view_quad(frame_from_view, *size),
        covariance,
        box,
        box_sigma,
        _sides_within(box, frame_size),
    )
    if not is_convex_clockwise(corners):
        return frame_from_view, covariance
    return homography_from_corners(corners, view_corners(*size)), updated


def _sides_within(
    box: AxisAlignedBox | OrientedBox, frame_size: tuple[int, int]
) -> NDArray[np.bool_]:
    """Left, right, top, bottom: a side at the frame's border may have been cut there."""
    if box.angle_rad != 0:
        return np.ones(4, dtype=bool)
    (left, top), (right, bottom) = box.corners()[0], box.corners()[2]
    width, height = frame_size
    return np.array([left > 0.5, right < width - 1.5, top > 0.5, bottom < height - 1.5])


def _corner_covariance(
    frame_from_crop: Matrix,
    output: NetworkOutput,
    place: int,
    card: ModelCard,
    settings: PipelineSettings,
) -> Matrix:
    """8×8 in square frame pixels, through the crop that the network saw."""
    assert output.log_variance is not None
    logs = output.log_variance[place]
    if not np.isfinite(logs).all():
        raise ViewRefused(DropReason.NOT_FINITE, "the predicted variances hold NaN or infinity")
    size = (card.input_width, card.input_height)
    logs = np.clip(logs, -_LARGEST_LOG_VARIANCE, _LARGEST_LOG_VARIANCE)
    out_size = view_size(settings, card)
    crop_from_view = (
        pixel_from_normalized(*size) @ output.theta[place] @ normalized_from_pixel(*out_size)
    )
    corners = view_quad(in_front_of_camera(crop_from_view, *out_size), *out_size)
    if not np.isfinite(corners).all():
        raise ViewRefused(
            DropReason.INVALID_TRANSFORM, "the predicted transform folds within the crop"
        )
    return transformed_corner_covariance(frame_from_crop, corners, crop_variances_px(logs, *size))
