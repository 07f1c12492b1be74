# SPDX-License-Identifier: Apache-2.0
"""Poses of rectangles of known size from their corners, for many of them at once.

IPPE (Collins and Bartoli 2014, Infinitesimal Plane-based Pose Estimation) gives the two poses
that look alike; each is refined by Levenberg and Marquardt's method.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stn_perception.geometry.arrays import FloatArray
from stn_perception.geometry.matrices import cross, inverses
from stn_perception.geometry.pose import PlanarPoseEstimate, Pose
from stn_perception.geometry.pose_refinement import (
    RectanglesSeen,
    camera_points,
    projected,
    refined_poses,
    reprojection_jacobians,
    seen_from_the_front,
)
from stn_perception.geometry.quads import frame_from_view_of_quad

__all__ = ["PoseFound", "RectanglesSeen", "poses_from_sizes"]

_SAME_POSE_RAD = 1e-3


@dataclass(frozen=True, eq=False)
class PoseFound:
    """A pose and how well it explains the corners: sum of their squared distances in pixels²."""

    estimate: PlanarPoseEstimate
    error_px2: float


def poses_from_sizes(
    seen: RectanglesSeen, corner_covariances: Sequence[FloatArray | None]
) -> list[PoseFound | None]:
    """The pose of each of N rectangles; None where none in front of the camera looks like it.

    Args:
        seen: The rectangles, with finite corners.
        corner_covariances: 8×8 in pixels² for each, or None where they are not known.
    """
    count = len(seen.corners)
    twice = RectanglesSeen(
        *(np.concatenate([part, part]) for part in (seen.corners, seen.sizes_m)),
        *(np.concatenate([part, part]) for part in (seen.matrices, seen.columns)),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        rotations, translations = _ippe(seen)
        possible = seen_from_the_front(twice, rotations, translations)
    usable = np.flatnonzero(possible)
    errors = np.full(2 * count, np.inf)
    errors[usable], rotations[usable], translations[usable] = refined_poses(
        twice.at(usable), rotations[usable], translations[usable]
    )
    second_is_better = errors[count:] < errors[:count]
    best = np.where(second_is_better, np.arange(count) + count, np.arange(count))
    other = (best + count) % (2 * count)
    covariances = _pose_covariances(seen, rotations[best], translations[best], corner_covariances)
    between = np.trace(np.swapaxes(rotations[other], 1, 2) @ rotations[best], axis1=1, axis2=2)
    apart = np.arccos(np.clip((between - 1) / 2, -1, 1)) > _SAME_POSE_RAD
    found: list[PoseFound | None] = []
    for place, (first, second) in enumerate(zip(best.tolist(), other.tolist(), strict=True)):
        if not possible[first]:
            found.append(None)
            continue
        alternative, ambiguity = None, np.inf
        if possible[second] and apart[place]:
            alternative = Pose(rotations[second], translations[second])
            if errors[first] > 0:
                ambiguity = float(errors[second] / errors[first])
        pose = Pose(rotations[first], translations[first])
        estimate = PlanarPoseEstimate(
            pose, alternative, ambiguity, covariances[place], True, "size"
        )
        found.append(PoseFound(estimate, 4 * float(errors[first]) ** 2))
    return found


def _ippe(seen: RectanglesSeen) -> tuple[FloatArray, FloatArray]:
    """Both poses of N rectangles: rotations 2N×3×3 and translations 2N×3."""
    rays = inverses(seen.matrices)
    points = np.concatenate([seen.corners, np.ones((len(rays), 4, 1))], axis=2)
    points = points @ np.swapaxes(rays, 1, 2)
    image = points[..., :2] / points[..., 2:]
    # A view of 1 × 1 has its centre at (0, 0), and spans the rectangle but for its size.
    homography = frame_from_view_of_quad(image, 1, 1)
    homography = homography / homography[:, 2:, 2:]
    center = homography[:, :2, 2]
    slope = homography[:, :2, :2] - center[:, :, None] * homography[:, 2:, :2]
    rotations = _ippe_rotations(center, slope / seen.sizes_m[:, None])
    offset = seen.optical_offsets
    translations = _ippe_translations(
        np.concatenate([seen.object_corners, seen.object_corners]),
        np.concatenate([image, image]),
        rotations,
    )
    return rotations, translations - np.concatenate([offset, offset])


def _ippe_rotations(center: FloatArray, slope: FloatArray) -> FloatArray:
    """2N×3×3 from where the rectangle's centre is seen (N×2) and how it moves there (N×2×2)."""
    # The turn that takes the optical axis to the ray of the centre.
    ray = np.concatenate([center, np.ones((len(center), 1))], axis=1)
    ray = ray / np.sqrt(np.square(ray).sum(axis=1, keepdims=True))
    flat, depth = ray[:, :2], ray[:, 2]
    to_ray = np.empty((len(center), 3, 3))
    to_ray[:, :2, :2] = np.eye(2) - (
        flat[:, :, None] * flat[:, None] / (1.0 + depth)[:, None, None]
    )
    to_ray[:, :2, 2] = flat
    to_ray[:, 2, :2] = -flat
    to_ray[:, 2, 2] = depth
    # In its axes the upper part of the rotation is the slope, up to the largest scale.
    base = to_ray[:, :2, :2] - center[:, :, None] * to_ray[:, 2:, :2]
    determinant = base[:, 0, 0] * base[:, 1, 1] - base[:, 0, 1] * base[:, 1, 0]
    adjugate = np.empty_like(base)
    adjugate[:, 0, 0], adjugate[:, 1, 1] = base[:, 1, 1], base[:, 0, 0]
    adjugate[:, 0, 1], adjugate[:, 1, 0] = -base[:, 0, 1], -base[:, 1, 0]
    scaled = adjugate @ slope / determinant[:, None, None]
    square = np.swapaxes(scaled, 1, 2) @ scaled
    middle = (square[:, 0, 0] + square[:, 1, 1]) / 2
    spread = np.hypot((square[:, 0, 0] - square[:, 1, 1]) / 2, square[:, 0, 1])
    upper = scaled / np.sqrt(middle + spread)[:, None, None]
    missing = np.eye(2) - np.swapaxes(upper, 1, 2) @ upper
    lower = np.sqrt(np.maximum(missing[:, (0, 1), (0, 1)], 0.0))
    lower[:, 1] = np.where(missing[:, 0, 1] < 0, -lower[:, 1], lower[:, 1])
    both = np.concatenate([lower, -lower])
    columns = np.concatenate([np.concatenate([upper, upper]), both[:, None]], axis=1)
    first, second = columns[..., 0], columns[..., 1]
    turned = np.stack([first, second, cross(first, second)], axis=2)
    return np.asarray(np.concatenate([to_ray, to_ray]) @ turned)


def _ippe_translations(points: FloatArray, image: FloatArray, rotations: FloatArray) -> FloatArray:
    """The shifts N×3 that bring turned points nearest to their rays, linearly."""
    turned = points @ np.swapaxes(rotations, 1, 2)
    misses = image * turned[..., 2:] - turned[..., :2]
    normal = np.zeros((len(points), 3, 3))
    normal[:, (0, 1), (0, 1)] = image.shape[1]
    normal[:, :2, 2] = normal[:, 2, :2] = -image.sum(axis=1)
    normal[:, 2, 2] = np.square(image).sum(axis=(1, 2))
    right = np.empty((len(points), 3))
    right[:, :2] = misses.sum(axis=1)
    right[:, 2] = -(image * misses).sum(axis=(1, 2))
    return np.asarray((inverses(normal) @ right[..., None])[..., 0])


def _pose_covariances(
    seen: RectanglesSeen,
    rotations: FloatArray,
    translations: FloatArray,
    corner_covariances: Sequence[FloatArray | None],
) -> list[FloatArray | None]:
    """6×6 of each pose whose corners have a covariance."""
    result: list[FloatArray | None] = [None] * len(corner_covariances)
    known = [place for place, value in enumerate(corner_covariances) if value is not None]
    known = [place for place in known if np.isfinite(translations[place]).all()]
    if not known:
        return result
    at = np.array(known)
    some = seen.at(at)
    points = camera_points(some, rotations[at], translations[at])
    jacobians = reprojection_jacobians(some, points, projected(some, points), translations[at])
    gains = np.linalg.pinv(jacobians)
    spread = np.array([corner_covariances[place] for place in known])
    for place, covariance in zip(known, gains @ spread @ np.swapaxes(gains, 1, 2), strict=True):
        result[place] = covariance
    return result
