# SPDX-License-Identifier: Apache-2.0
"""Errors of an archive and of classical methods on oriented boxes, per sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import view_quad
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.results import Prediction
from stn_perception.training.measuring import box_corners
from stn_perception.training.predicting import predicted_samples
from stn_perception.training.tabletop.oriented import OrientedBox, angle_between
from stn_perception.training.tabletop.sample import BoxSample

# The size of the crop that centre errors are stated for, and the margin that it adds to the box.
CROP_PX = 96
CROP_MARGIN = 1.25

Values = NDArray[np.float64]


@dataclass(frozen=True)
class BoxErrors:
    """One method's errors, one value per sample.

    Attributes:
        angle_deg: between the long axes, modulo 180°.
        centre_px: in pixels of a 96 px crop of the given box with its margin.
        size_percent: mean absolute error of both sides, in percent of the true side.
        angle_sigma_deg: predicted standard deviation of the angle; NaN where there is none.
        sigmas, errors: N×8, predicted standard deviations and absolute errors of the corners, in
            frame pixels; NaN where there are none.
        refused: samples without an answer; they count with the given box.
    """

    angle_deg: Values
    centre_px: Values
    size_percent: Values
    angle_sigma_deg: Values
    sigmas: Values
    errors: Values
    refused: int

    @property
    def in_sigmas(self) -> Values:
        """Absolute errors in predicted standard deviations, M×8 over the samples with them."""
        return np.asarray((self.errors / self.sigmas)[np.isfinite(self.sigmas).all(axis=1)])


@dataclass(frozen=True)
class Answer:
    """What a method says of one sample.

    Attributes:
        corners: 4×2 in frame pixels, a view's corners with x along the long side.
        covariance: 8×8 of them, or None.
    """

    corners: Values
    covariance: Values | None = None


def box_answer(box: OrientedBox) -> Answer:
    """Return an oriented box as an answer."""
    return Answer(box.corners)


def upright_corners(sample: BoxSample) -> Values:
    """Return the detection itself as a view, 4×2, with x along its longer side."""
    corners = box_corners(sample.box)
    return corners if sample.box[2] >= sample.box[3] else np.roll(corners, -1, axis=0)


def collect(samples: Sequence[BoxSample], answers: Sequence[Answer | None]) -> BoxErrors:
    """Compare answers with the truth; None counts with the given box."""
    count = len(samples)
    angle, centre, size, angle_sigma = (np.full(count, np.nan) for _ in range(4))
    sigmas, errors = np.full((count, 8), np.nan), np.full((count, 8), np.nan)
    for i, (sample, answer) in enumerate(zip(samples, answers, strict=True)):
        corners = upright_corners(sample) if answer is None else answer.corners
        truth = sample.truth
        long = (corners[1] + corners[2] - corners[0] - corners[3]) / 4
        short = (corners[2] + corners[3] - corners[0] - corners[1]) / 4
        direction = float(np.arctan2(long[1], long[0]))
        angle[i] = np.degrees(angle_between(direction, truth.angle_rad))
        crop = CROP_PX / (CROP_MARGIN * float(sample.box[2:].max()))
        centre[i] = float(np.linalg.norm(corners.mean(axis=0) - truth.centre)) * crop
        size[i] = 50 * sum(
            abs(np.linalg.norm(a) / np.linalg.norm(b) - 1)
            for a, b in ((long, truth.long_half), (short, truth.short_half))
        )
        if answer is not None and answer.covariance is not None:
            turned = [np.roll(truth.corners, -shift, axis=0) for shift in (0, 2)]
            nearest = min(turned, key=lambda t: float(np.abs(t - corners).sum()))
            errors[i] = np.abs(corners - nearest).reshape(8)
            sigmas[i] = np.sqrt(np.diag(answer.covariance))
            angle_sigma[i] = np.degrees(_angle_sigma(long, answer.covariance))
    refused = sum(answer is None for answer in answers)
    return BoxErrors(angle, centre, size, angle_sigma, sigmas, errors, refused)


def _angle_sigma(long: Values, covariance: Values) -> float:
    """Standard deviation of the long axis's angle, to first order in the corners' errors."""
    square = float(long @ long)
    across = np.array([-long[1], long[0]]) / square / 4
    slope = np.concatenate([-across, across, across, -across])
    return float(np.sqrt(slope @ covariance @ slope))


def measure_archive(
    archive: ModelArchive,
    samples: Sequence[BoxSample],
    refinement_steps: int,
    batch_size: int = 64,
) -> BoxErrors:
    """Run an archive through the runtime's canonicalizer and compare with the truth."""
    return collect(samples, answers_of(archive, samples, refinement_steps, batch_size))


def answers_of(
    archive: ModelArchive,
    samples: Sequence[BoxSample],
    refinement_steps: int,
    batch_size: int = 64,
) -> list[Answer | None]:
    """Run an archive through the runtime's canonicalizer, one frame per sample."""
    found = predicted_samples(archive, samples, refinement_steps, batch_size)
    return [_answer(prediction) for _, prediction in found]


def _answer(prediction: Prediction) -> Answer | None:
    if not prediction.estimates:
        return None
    one = prediction.estimates[0]
    size = (prediction.view_width, prediction.view_height)
    return Answer(view_quad(one.frame_from_view, *size), one.corner_covariance)


def measure_method(
    samples: Sequence[BoxSample], method: Callable[[BoxSample], OrientedBox | None]
) -> BoxErrors:
    """Run a classical method on samples and compare with the truth."""
    found = [method(sample) for sample in samples]
    return collect(samples, [None if box is None else box_answer(box) for box in found])
