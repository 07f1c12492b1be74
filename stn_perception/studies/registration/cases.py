# SPDX-License-Identifier: Apache-2.0
"""Pairs of pictures with exact truth: the files of ITK's examples, and pairs made from a slice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from stn_perception.studies.registration.slices import (
    FIXED,
    ROTATED,
    ROTATED_SHIFTED,
    SCALED,
    SHIFTED,
    SPLINED,
    inverse,
    read_slice,
    spline_points,
    true_matrices,
    true_spline_points,
)

Picture = NDArray[np.float64]
# Below this level is air, where a transform shows nothing.
_AIR = 40


@dataclass(frozen=True, eq=False)
class RegistrationCase:
    """One pair: the source shall be resampled so that it looks like the view.

    Attributes:
        name: In words.
        view: H×W grey levels, [0, 255].
        source: H×W grey levels.
        true_points: Where each pixel of the view lies in the source, H×W×2 (x, y) in pixels.
        matrix: source_from_view where the truth is a similarity, 3×3 in pixels.
    """

    name: str
    view: Picture
    source: Picture
    true_points: NDArray[np.float64]
    matrix: NDArray[np.float64] | None

    def judged(self) -> NDArray[np.bool_]:
        """Pixels of the view that show tissue and whose true point lies in the source."""
        height, width = self.source.shape
        x, y = self.true_points[..., 0], self.true_points[..., 1]
        inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        tissue = np.asarray(cv2.GaussianBlur(self.view, (0, 0), 2.0)) > _AIR
        return np.asarray(inside & tissue)


def case_of_matrix(
    name: str, view: Picture, source: Picture, source_from_view: NDArray[np.float64]
) -> RegistrationCase:
    """Return a pair whose truth is a matrix in pixels."""
    points = moved_points(source_from_view, view.shape)
    return RegistrationCase(name, view, source, points, source_from_view)


def moved_points(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return where an affine 3×3 takes every pixel of a picture, H×W×2."""
    rows, columns = np.indices(shape[:2])
    at = np.stack([columns, rows, np.ones_like(rows)], axis=2).astype(np.float64)
    points: NDArray[np.float64] = at @ matrix[:2].T
    return points


def file_cases(folder: Path) -> Iterator[RegistrationCase]:
    """The files of a similarity, in both directions.

    ITK's examples resample the moving file to look like the fixed slice. The files were made the
    other way round, by resampling the fixed slice.
    """
    fixed = read_slice(folder, FIXED)
    words = {
        SHIFTED: "shift",
        ROTATED: "rotation",
        ROTATED_SHIFTED: "rotation, shift",
        SCALED: "rotation, shift, scale",
    }
    for name, fixed_from_moving in true_matrices().items():
        moving = read_slice(folder, name)
        moving_from_fixed = inverse(fixed_from_moving)
        yield case_of_matrix(f"{words[name]}: fixed ← moving", fixed, moving, moving_from_fixed)
        yield case_of_matrix(f"{words[name]}: moving ← fixed", moving, fixed, fixed_from_moving)


def spline_case(folder: Path) -> RegistrationCase:
    """The splined file; its truth is known for the pixels of the splined picture."""
    fixed, splined = read_slice(folder, FIXED), read_slice(folder, SPLINED)
    points = true_spline_points(folder, *splined.shape)
    return RegistrationCase("B-spline: moving ← fixed", splined, fixed, points, None)


@dataclass(frozen=True)
class MadeRange:
    """How far made pairs are apart: each number is drawn evenly from ± the limit.

    Attributes:
        shift_px: Of the picture's middle, along x and y each.
        angle_deg: Rotation.
        log_scale: Natural logarithm of the scale.
        noise: Standard deviation of the noise in both pictures, grey levels.
    """

    shift_px: float = 15.0
    angle_deg: float = 15.0
    log_scale: float = 0.2
    noise: float = 2.0


def made_case(
    slice_: Picture,
    made: MadeRange,
    generator: np.random.Generator,
    turned_deg: float | None = None,
) -> RegistrationCase:
    """Return a pair of a slice and its resampling by a similarity: drawn, or turned so far.

    The slice is taken for samples of a quintic spline, the moved picture samples the spline, and
    both get noise and whole grey levels: the truth is exact and the interpolation nobody's own.
    """
    drawn_deg = generator.uniform(-made.angle_deg, made.angle_deg)
    angle_rad = np.radians(drawn_deg if turned_deg is None else turned_deg)
    scale = np.exp(generator.uniform(-made.log_scale, made.log_scale))
    shift = generator.uniform(-made.shift_px, made.shift_px, 2)
    centre = (np.array(slice_.shape[::-1]) - 1) / 2
    cosine, sine = scale * np.cos(angle_rad), scale * np.sin(angle_rad)
    view_from_source = np.eye(3)
    view_from_source[:2, :2] = [[cosine, -sine], [sine, cosine]]
    view_from_source[:2, 2] = centre + shift - view_from_source[:2, :2] @ centre
    points = moved_points(view_from_source, slice_.shape)
    moved = ndimage.map_coordinates(
        slice_, [points[..., 1], points[..., 0]], order=5, mode="nearest"
    )
    view, source = (_recorded(picture, made.noise, generator) for picture in (slice_, moved))
    return case_of_matrix("made", view, source, inverse(view_from_source))


def made_spline_case(
    slice_: Picture, noise: float, generator: np.random.Generator
) -> RegistrationCase:
    """Return a pair of a slice and its resampling by a drawn B-spline of up to 10 px a node."""
    displacements = np.zeros((7, 7, 2))
    displacements[1:-1, 1:-1] = generator.uniform(-10.0, 10.0, (5, 5, 2))
    points = spline_points(displacements, *slice_.shape)
    moved = ndimage.map_coordinates(
        slice_, [points[..., 1], points[..., 0]], order=5, mode="nearest"
    )
    view, source = (_recorded(picture, noise, generator) for picture in (moved, slice_))
    return RegistrationCase("made B-spline", view, source, points, None)


def _recorded(picture: Picture, noise: float, generator: np.random.Generator) -> Picture:
    noisy = picture + generator.normal(0.0, noise, picture.shape)
    return np.clip(np.round(noisy), 0, 255)
