# SPDX-License-Identifier: Apache-2.0
"""Corner errors of an archive on labelled samples, run as the runtime runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import corner_error_px, quad_side_px, view_quad
from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.classical import contour_quad
from stn_perception.training.crops import cut
from stn_perception.training.predicting import predicted_samples
from stn_perception.training.scenes import LabelledSample

# The size of the crop that errors are stated for.
CROP_PX = 128

Corners = NDArray[np.float64]


@dataclass(frozen=True)
class Errors:
    """One method's errors, one value per sample.

    Attributes:
        crop_px: mean corner error in pixels of a 128 px crop of the box with its margin.
        side_percent: mean corner error in the frame, in percent of the object's mean side.
        in_sigmas: absolute corner coordinate errors in predicted standard deviations, M×8 over
            the samples that have them; empty where the method predicts none.
        refused: samples without an answer; they count with the error of the box itself.
        sigma_px: predicted standard deviations of the corner coordinates in pixels of the 128 px
            crop, M×8 as ``in_sigmas``.
    """

    crop_px: NDArray[np.float64]
    side_percent: NDArray[np.float64]
    in_sigmas: NDArray[np.float64]
    refused: int
    sigma_px: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 8)))


def box_corners(box: NDArray[np.float64]) -> Corners:
    """Return a box's corners, 4×2; ``box`` is centre x, centre y, width, height."""
    half = box[2:] / 2
    return box[:2] + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half


def _one(
    predicted: Corners, sample: LabelledSample, margin: float, symmetry: int
) -> tuple[float, float, int]:
    to_crop = CROP_PX / (sample.box[2:] * margin)
    crop_px, _ = corner_error_px(predicted * to_crop, sample.corners * to_crop, symmetry)
    frame_px, shift = corner_error_px(predicted, sample.corners, symmetry)
    return crop_px, 100 * frame_px / quad_side_px(sample.corners), shift


def measure_archive(
    archive: ModelArchive,
    samples: Sequence[LabelledSample],
    refinement_steps: int,
    batch_size: int = 64,
) -> Errors:
    """Run an archive through the runtime's canonicalizer and compare with the truth.

    Args:
        archive: the opened model.
        samples: what to run it on.
        refinement_steps: how often to refine.
        batch_size: boxes per call.
    """
    card = archive.card
    crop_px, side_percent = np.empty(len(samples)), np.empty(len(samples))
    in_sigmas: list[NDArray[np.float64]] = []
    sigma_px: list[NDArray[np.float64]] = []
    refused = 0
    found = predicted_samples(archive, samples, refinement_steps, batch_size)
    for number, (sample, prediction) in enumerate(found):
        if not prediction.estimates:
            refused += 1
            quad = box_corners(sample.box)
            crop_px[number], side_percent[number], _ = _one(quad, sample, card.box_margin, 4)
            continue
        estimate = prediction.estimates[0]
        quad = view_quad(estimate.frame_from_view, prediction.view_width, prediction.view_height)
        crop_px[number], side_percent[number], shift = _one(
            quad, sample, card.box_margin, card.symmetry
        )
        if estimate.corner_covariance is not None:
            error = np.abs(quad - np.roll(sample.corners, -shift, axis=0)).reshape(8)
            sigma = np.sqrt(np.diag(estimate.corner_covariance))
            in_sigmas.append(error / sigma)
            sigma_px.append(sigma * np.tile(CROP_PX / (sample.box[2:] * card.box_margin), 4))
    return Errors(
        crop_px,
        side_percent,
        np.array(in_sigmas).reshape(-1, 8),
        refused,
        np.array(sigma_px).reshape(-1, 8),
    )


def measure_classical(samples: Sequence[LabelledSample], margin: float) -> Errors:
    """Run the contour baseline on the same boxes, as 128 px crops."""
    crop_px, side_percent = np.empty(len(samples)), np.empty(len(samples))
    for number, sample in enumerate(samples):
        half, centre = sample.box[2:] * margin / 2, sample.box[:2]
        frame_from_crop = np.array([(half[0], 0, centre[0]), (0, half[1], centre[1]), (0, 0, 1)])
        crop = cut(sample.pixels, frame_from_crop, CROP_PX)
        normalized = (2 * contour_quad(crop) + 1) / CROP_PX - 1
        found = cv2.perspectiveTransform(normalized[None], frame_from_crop)[0]
        crop_px[number], side_percent[number], _ = _one(
            np.asarray(found, dtype=np.float64), sample, margin, 4
        )
    return Errors(crop_px, side_percent, np.empty((0, 8)), 0)
