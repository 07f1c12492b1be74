# SPDX-License-Identifier: Apache-2.0
"""What an archive makes of labelled signs: class, turn, corners, deviations.

The loop is the runtime's (crop, predict, compose, crop again along the view), written here for
starts that are no boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import frame_from_crop
from stn_perception.geometry.homography import invert
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.model_card import ModelCard
from stn_perception.runtime.warp_backend import InputSample
from stn_perception.training.calibration import CALIBRATION_SEED
from stn_perception.training.crops import frame_from_square
from stn_perception.training.road_signs.catalogue import UNKNOWN
from stn_perception.training.road_signs.crops import coarse_estimate
from stn_perception.training.road_signs.pool import scene_number
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.road_signs.scene_settings import SignSceneSettings
from stn_perception.training.scenes.given_box import as_axis_aligned
from stn_perception.training.view_axes import SQUARE, projected

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """What was found of one sign.

    Attributes:
        name: the class that was read.
        likelihood: of it.
        corners: 4×2 in the frame, from the view's top-left; NaN where the transform folds.
        turn_off_deg: by how much the view is turned against upright; NaN for things without up.
        side_percent: mean corner distance in percent of the true square's mean side.
        error: 8 corner coordinates, in axes of the last crop whose half width is 1.
        sigma: 8 predicted deviations of these; empty where none are predicted.
    """

    name: str
    likelihood: float
    corners: Matrix
    turn_off_deg: float
    side_percent: float
    error: Matrix
    sigma: Matrix


def box_start(sample: SignSample, card: ModelCard) -> Matrix:
    """Return frame_from_crop, pixels on both sides, of the given box with its margin."""
    size = (card.input_width, card.input_height)
    box = as_axis_aligned(sample.box)
    return np.asarray(frame_from_crop(box, card.box_margin, *size, card.crop_shape))


def coarse_start(
    rng: np.random.Generator, sample: SignSample, card: ModelCard, sigma: float
) -> Matrix:
    """Return frame_from_crop of a refinement crop whose estimate is off by ``coarse_estimate``."""
    own = frame_from_square(coarse_estimate(rng, sigma))
    margin = np.diag([card.refinement_margin, card.refinement_margin, 1.0])
    size = (card.input_width, card.input_height)
    normalized = frame_from_square(sample.corners) @ own @ margin
    return np.asarray(normalized @ normalized_from_pixel(*size))


def turn_between(found: Matrix, truth: Matrix) -> float:
    """Return the turn, radians, that takes the found view to the true one.

    Args:
        found: frame from normalised view axes, 3×3.
        truth: the same of the upright view.
    """
    between = np.linalg.inv(found) @ truth
    between = between / between[2, 2]
    x, y, p, q = between[0, 2], between[1, 2], between[2, 0], between[2, 1]
    slope = between[:2, :2] - np.outer([x, y], [p, q])
    return float(np.arctan2(slope[1, 0] - slope[0, 1], slope[0, 0] + slope[1, 1]))


def _off_by(angle_rad: float, symmetry: int) -> tuple[float, int]:
    """Return the smallest turn in degrees over those that look alike, and how many of them."""
    period = 2 * np.pi / max(1, symmetry)
    steps = round(angle_rad / period)
    return abs(float(np.rad2deg(angle_rad - steps * period))), steps


def _judged(
    sample: SignSample, card: ModelCard, crop: Matrix, theta: Matrix, logits: Matrix, log: Matrix
) -> Reading:
    likelihoods = np.exp(logits - logits.max())
    best = int(likelihoods.argmax())
    likelihood = float(likelihoods[best] / likelihoods.sum())
    frame_from_normal = crop @ pixel_from_normalized(card.input_width, card.input_height)
    found = frame_from_normal @ theta
    depth = (np.append(SQUARE, np.ones((4, 1)), axis=1) @ found.T)[:, 2]
    if not np.isfinite(found).all() or (depth * found[2, 2] <= 0).any():
        nothing = np.full((4, 2), np.nan)
        name = card.class_names[best]
        return Reading(name, likelihood, nothing, 180.0, 100.0, np.full(8, 2.0), np.empty(0))
    corners = projected(found, SQUARE)
    off, steps = _off_by(turn_between(found, frame_from_square(sample.corners)), sample.symmetry)
    # Name the truth's corners by the turn that looks alike and is nearest.
    shift = -steps * (4 // max(1, sample.symmetry))
    truth = np.roll(sample.corners, shift, axis=0)
    side = np.linalg.norm(np.roll(truth, -1, axis=0) - truth, axis=1).mean()
    distance = np.linalg.norm(corners - truth, axis=1).mean()
    to_crop = invert(frame_from_normal)
    error = (projected(to_crop, corners) - projected(to_crop, truth)).reshape(8)
    return Reading(
        name=card.class_names[best],
        likelihood=likelihood,
        corners=corners,
        turn_off_deg=off,
        side_percent=100 * float(distance / side),
        error=error,
        sigma=np.exp(0.5 * log),
    )


def read_signs(
    archive: ModelArchive,
    samples: Sequence[SignSample],
    starts: Sequence[Matrix],
    refinement_steps: int,
) -> list[list[Reading]]:
    """Run an archive, and keep what it says after every step.

    Args:
        archive: predicts class logits.
        samples: the signs.
        starts: frame_from_crop of each first crop, pixels on both sides.
        refinement_steps: how often to crop again along the view.

    Returns:
        One list of readings per number of steps, 0 to ``refinement_steps``.
    """
    card, backend = archive.card, get_backend("opencv")
    size = (card.input_width, card.input_height)
    frames = [Frame(sample.pixels, "rgb") for sample in samples]
    crops = list(starts)
    found: list[list[Reading]] = []
    margin = np.diag([card.refinement_margin, card.refinement_margin, 1.0])
    for _ in range(refinement_steps + 1):
        inputs = [InputSample(f, c) for f, c in zip(frames, crops, strict=True)]
        output = archive.predict(backend.sample_inputs(inputs, *size, card.channels))
        assert output.class_logits is not None
        logs = output.log_variance
        readings = []
        for i, sample in enumerate(samples):
            log = np.empty(0) if logs is None else logs[i]
            readings.append(
                _judged(sample, card, crops[i], output.theta[i], output.class_logits[i], log)
            )
            if np.isfinite(readings[-1].corners).all():
                square = frame_from_square(readings[-1].corners)
                crops[i] = square @ margin @ normalized_from_pixel(*size)
        found.append(readings)
    return found


def held_out_in_sigmas(
    archive: ModelArchive, settings: SignSceneSettings, count: int, coarse_sigma: float
) -> Matrix:
    """Return absolute errors of signs in predicted standard deviations, M×8, to calibrate by.

    Measured after the card's refinement steps on held-out materials. Two signs of three start from
    their boxes, the third from an estimate that is far off: of a crop along its own estimate a
    network cannot tell which it was, and errors are larger after the latter.

    Args:
        archive: predicts deviations.
        settings: of the scenes.
        count: how many signs.
        coarse_sigma: of the estimates, in half sides (see ``coarse_estimate``).
    """
    settings = settings.model_copy(update={"unknown_share": 0.0})
    cv2.setNumThreads(1)
    rng = np.random.default_rng(CALIBRATION_SEED)
    in_sigmas: list[Matrix] = []
    for start in range(0, count, 64):
        numbers = range(start, min(start + 64, count))
        samples = [scene_number(CALIBRATION_SEED, i, settings, True) for i in numbers]
        starts = [
            coarse_start(rng, sample, archive.card, coarse_sigma)
            if i % 3 == 2
            else box_start(sample, archive.card)
            for i, sample in zip(numbers, samples, strict=True)
        ]
        last = read_signs(archive, samples, starts, archive.card.refinement_steps)[-1]
        in_sigmas += [np.abs(r.error) / r.sigma for r in last if r.sigma.size]
    return np.array(in_sigmas).reshape(-1, 8)


def is_read(reading: Reading, sample: SignSample) -> bool:
    """Whether the class is right."""
    return reading.name == sample.name


def is_upright(reading: Reading, sample: SignSample, limit_deg: float) -> bool:
    """Whether the view is upright; what has no up never is."""
    return sample.name != UNKNOWN and reading.turn_off_deg < limit_deg
