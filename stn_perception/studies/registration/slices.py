# SPDX-License-Identifier: Apache-2.0
"""The brain slices of ITK's examples, and the transforms that they were made with.

`BrainProtonDensitySliceBorder20` was moved by known transforms in physical coordinates of unit
spacing, whose origin is the centre of the first pixel: ITK's millimetres are pixels here, and the
point (110.5, 128.5) that its guide calls the geometric centre is that of pixel coordinates, half a
pixel right and below of the picture's middle. How far the files keep to what the guide says was
found by resampling the fixed slice, and the tests do it again:

* Rotated10 is the bilinear resampling by exactly 10°, cut to whole grey levels: every pixel
  agrees to one level. Beyond the slice it is filled with level 100.
* R10X13Y17 is shifted by 16 px in y; the guide says 17, and remarks that registration found 16.
* R10X13Y17S12 shows the slice at points scaled by 1.2, rotated by 10° and shifted by (13, 17). The
  inverse has the guide's numbers, but shifts first. It and R10X13Y17 were brought to 32 levels
  afterwards.
* BSplined10 is the cubic B-spline of `BSplineDisplacements1.txt`: every pixel agrees to one level.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.studies.data.package import PublicPackage
from stn_perception.studies.errors import StudyError

FIXED = "BrainProtonDensitySliceBorder20.png"
SHIFTED = "BrainProtonDensitySliceShifted13x17y.png"
ROTATED = "BrainProtonDensitySliceRotated10.png"
ROTATED_SHIFTED = "BrainProtonDensitySliceR10X13Y17.png"
SCALED = "BrainProtonDensitySliceR10X13Y17S12.png"
SPLINED = "BrainProtonDensitySliceBSplined10.png"
DISPLACEMENTS = "BSplineDisplacements1.txt"

PACKAGE = PublicPackage(
    kind="debian",
    name="insighttoolkit5-examples",
    version=None,
    folder="usr/share/doc/insighttoolkit5-examples/examples/Data",
    checksums={
        FIXED: "c9eec8a16e094573ccdb2a0065209c1ca8740132d779ef1df1132d7c0dd42823",
        SHIFTED: "602253ec86418500213c2fc08bd17d34041e4939185dfa60e79c0dd7c38e6a4f",
        ROTATED: "9965dd65b23b530c2990954e772510925db23ca1838e56ccfabe1ef1e2a3cf35",
        ROTATED_SHIFTED: "843242c112674c39e00616705bf4ddd69e517630348624662b4fe82948505a47",
        SCALED: "5b6b17cc966e7e68c62e0473ad410bcb1b06a0f95e3fd7602e45a71b2ee0169d",
        SPLINED: "3ea4b7d1a56f003b29ad85bfc5f9d8c0122dc8fdc34c835fcae8cd6923d331f7",
        DISPLACEMENTS: "8f19df60936db258feae1ad5892cdb3e42ba8f535596fe6dc8c84da5abd92b1a",
    },
)

_CENTRE = np.array([110.5, 128.5])


def read_slice(folder: Path, name: str) -> NDArray[np.float64]:
    """Return a slice's grey levels, H×W in [0, 255].

    Raises:
        StudyError: There is no such picture.
    """
    picture = cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise StudyError(f"{folder / name} is no picture that OpenCV can read.")
    return picture.astype(np.float64)


def true_matrices() -> Mapping[str, NDArray[np.float64]]:
    """fixed_from_moving of the files that a similarity made, 3×3, pixels, by the file's name."""
    return {
        SHIFTED: _about_centre(0.0, 1.0, (-13.0, -17.0)),
        ROTATED: _about_centre(-10.0, 1.0, (0.0, 0.0)),
        ROTATED_SHIFTED: inverse(_about_centre(10.0, 1.0, (13.0, 16.0))),
        SCALED: _about_centre(10.0, 1.2, (13.0, 17.0)),
    }


def true_spline_points(folder: Path, height: int, width: int) -> NDArray[np.float64]:
    """Where every pixel of the splined slice looks in the fixed one, H×W×2 (x, y) in pixels."""
    displacements = np.loadtxt(folder / DISPLACEMENTS)
    nodes = len(displacements)
    return spline_points(displacements.reshape(nodes, nodes, 2), height, width)


def spline_points(
    displacements: NDArray[np.float64], height: int, width: int
) -> NDArray[np.float64]:
    """Where a uniform cubic B-spline takes every pixel, H×W×2 (x, y) in pixels.

    ITK's `BSplineTransform` of order 3 over the pixels' centres.

    Args:
        displacements: Of the nodes, R×C×2 (x, y) in pixels; a row at each end lies
            outside of the picture.
        height: Rows of the picture.
        width: Columns of the picture.
    """
    along_y = _spline_weights(height, displacements.shape[0])
    along_x = _spline_weights(width, displacements.shape[1])
    rows, columns = np.indices((height, width))
    points: NDArray[np.float64] = np.stack([columns, rows], axis=2) + np.einsum(
        "yi,xj,ijk->yxk", along_y, along_x, displacements
    )
    return points


def inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The other direction of a 3×3 matrix."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _about_centre(
    angle_deg: float, scale: float, shift: tuple[float, float]
) -> NDArray[np.float64]:
    angle_rad = np.radians(angle_deg)
    cosine, sine = scale * np.cos(angle_rad), scale * np.sin(angle_rad)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = _CENTRE + shift - linear @ _CENTRE
    return matrix


def _spline_weights(size: int, nodes: int) -> NDArray[np.float64]:
    """Weights of the nodes at every pixel of an axis, size×nodes."""
    cells = nodes - 3
    at = np.arange(size) / (size - 1) * cells
    first = np.clip(np.floor(at).astype(int), 0, cells - 1)
    u = at - first
    parts = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    weights = np.zeros((size, nodes))
    for offset, part in enumerate(parts):
        weights[np.arange(size), first + offset] = part / 6
    return weights
