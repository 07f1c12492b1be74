# SPDX-License-Identifier: Apache-2.0
"""One weak label per scene, made once: learning from a fresh error each time would be cheating."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.labels.angles import QUARTER, turn_rad
from stn_perception.training.labels.config import WeakConfig
from stn_perception.training.labels.pseudo import pseudo_label
from stn_perception.training.pool import ScenePool

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeakLabels:
    """What is known of each scene, in pixels of its picture; NaN where it is not known.

    Attributes:
        corners: float64 N×4×2, clockwise, starting anywhere.
        angle: float64 N: turn of the quadrilateral in radians, modulo a quarter turn.
        box: float64 N×4: lowest x, lowest y, highest x, highest y of the quadrilateral.
        confidence: float64 N, 0 to 1.
    """

    corners: Floats
    angle: Floats
    box: Floats
    confidence: Floats


def make_labels(
    config: WeakConfig,
    pool: ScenePool,
    seed: int,
    margin: float,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> WeakLabels:
    """Label every scene of a pool as configured.

    The label of scene i depends on the seed and i alone. ``pseudo`` labels look at the picture
    and the given box only; the others are the exact truth, spoiled.

    Args:
        config: which labels.
        pool: the scenes.
        seed: of the errors.
        margin: factor on the box that the classical methods look at.
        report: called with labels made and labels wanted.
    """
    count = len(pool)
    corners = np.full((count, 4, 2), np.nan)
    angle, box = np.full(count, np.nan), np.full((count, 4), np.nan)
    confidence = np.ones(count)
    if config.labels == "noisy":
        corners = _noisy_corners(config, pool, seed)
    elif config.labels == "angle":
        angle = _noisy_angle(config, pool, seed)
        box = given_boxes(pool)
    elif config.labels == "box":
        box = _noisy_box(config, pool, seed)
    else:
        cv2.setNumThreads(1)
        for i in range(count):
            corners[i], confidence[i] = pseudo_label(pool.picture(i), pool.boxes[i], margin)
            if (i + 1) % 1000 == 0 or i + 1 == count:
                report(i + 1, count)
    return WeakLabels(corners, angle, box, confidence)


def given_boxes(pool: ScenePool) -> Floats:
    """Return the boxes that crops are cut by, N×4: lowest x, lowest y, highest x, highest y.

    A quadrilateral of which only the angle is known takes its size from it, as at run time.
    """
    centre, half = pool.boxes[:, :2], pool.boxes[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def half_sides(corners: Floats) -> Floats:
    """Return half the mean side of each quadrilateral, N."""
    sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    return np.asarray(sides.mean(axis=1) / 2)


def _draws(seed: int, what: int, shape: tuple[int, ...]) -> Floats:
    """Return normal draws whose row i does not depend on how many rows there are."""
    return np.random.default_rng([seed, 31, what]).standard_normal(shape)


def _outliers(config: WeakConfig, seed: int, count: int) -> NDArray[np.bool_]:
    return np.random.default_rng([seed, 32]).random(count) < config.outlier_share


def _noisy_corners(config: WeakConfig, pool: ScenePool, seed: int) -> Floats:
    truth, count = pool.corners, len(pool)
    unit = half_sides(truth)[:, None, None]
    noisy = truth + unit * (config.sigma * _draws(seed, 0, (count, 4, 2)) + np.array(config.bias))
    # A gross error: another place, size and turn, as when another object was labelled.
    centre = truth.mean(axis=1, keepdims=True)
    gross = _draws(seed, 1, (count, 4))
    turn, scale = 3 * gross[:, :1, None], np.exp(0.5 * gross[:, 1:2, None])
    own = (truth - centre) * scale
    turned = np.cos(turn) * own + np.sin(turn) * np.stack([-own[..., 1], own[..., 0]], axis=2)
    wrong = centre + 0.5 * unit * gross[:, None, 2:] + turned
    gross_ones = _outliers(config, seed, count)[:, None, None]
    return np.asarray(np.where(gross_ones, wrong, noisy), dtype=np.float64)


def _noisy_angle(config: WeakConfig, pool: ScenePool, seed: int) -> Floats:
    angle = turn_rad(pool.corners) + config.sigma * _draws(seed, 2, (len(pool),))
    wrong = _outliers(config, seed, len(pool))
    anything = QUARTER * _draws(seed, 3, (len(pool),))
    return np.asarray(np.where(wrong, anything, angle), dtype=np.float64)


def _noisy_box(config: WeakConfig, pool: ScenePool, seed: int) -> Floats:
    truth = np.concatenate([pool.corners.min(axis=1), pool.corners.max(axis=1)], axis=1)
    unit = half_sides(pool.corners)[:, None]
    wrong = _outliers(config, seed, len(pool))[:, None]
    sigma = np.where(wrong, 0.5, config.sigma)
    bias = np.array([*config.bias, *config.bias])
    return np.asarray(truth + unit * (sigma * _draws(seed, 4, (len(pool), 4)) + bias))
