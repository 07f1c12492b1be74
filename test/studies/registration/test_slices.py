# SPDX-License-Identifier: Apache-2.0
"""What the slices' true transforms are, checked by resampling the fixed slice."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.errors import StudyError
from stn_perception.studies.registration.cases import moved_points
from stn_perception.studies.registration.slices import (
    FIXED,
    PACKAGE,
    ROTATED,
    ROTATED_SHIFTED,
    SCALED,
    SHIFTED,
    SPLINED,
    read_slice,
    spline_points,
    true_matrices,
    true_spline_points,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return package_files(PACKAGE)
    except StudyError as error:
        pytest.skip(str(error))


def agreement(folder: Path, name: str, points: NDArray[np.float64]) -> float:
    """Share of pixels, of those that look inside the slice, that agree to one level."""
    fixed, moving = read_slice(folder, FIXED), read_slice(folder, name)
    x, y = points[..., 0], points[..., 1]
    made = np.floor(ndimage.map_coordinates(fixed, [y, x], order=1, mode="nearest") + 1e-9)
    inside = (x >= 0) & (x <= fixed.shape[1] - 1) & (y >= 0) & (y <= fixed.shape[0] - 1)
    return float((np.abs(made - moving) <= 1)[inside].mean())


@pytest.mark.parametrize("name", [SHIFTED, ROTATED])
def test_shift_and_rotation_are_exact_to_a_grey_level(folder: Path, name: str) -> None:
    points = moved_points(true_matrices()[name], (257, 221))
    assert agreement(folder, name, points) > 0.999


def test_the_spline_is_that_of_the_displacements_file(folder: Path) -> None:
    assert agreement(folder, SPLINED, true_spline_points(folder, 257, 221)) > 0.999


@pytest.mark.parametrize("name", [ROTATED_SHIFTED, SCALED])
@pytest.mark.parametrize("off", [(0.25, 0.0), (-0.25, 0.0), (0.0, 0.25), (0.0, -0.25)])
def test_a_quarter_of_a_pixel_beside_the_truth_agrees_less(
    folder: Path, name: str, off: tuple[float, float]
) -> None:
    # These two were brought to 32 levels, so that not every pixel can agree.
    points = moved_points(true_matrices()[name], (257, 221))
    fixed, moving = read_slice(folder, FIXED), read_slice(folder, name)

    def difference(at: NDArray[np.float64]) -> float:
        made = ndimage.map_coordinates(fixed, [at[..., 1], at[..., 0]], order=1, mode="nearest")
        return float(np.abs(made - moving)[40:-40, 40:-40].mean())

    assert difference(points) < difference(points + off)


def test_a_spline_of_equal_nodes_is_a_shift() -> None:
    points = spline_points(np.tile([3.0, -2.0], (6, 6, 1)), 40, 50)
    shifted = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, -2.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(points, moved_points(shifted, (40, 50)), atol=1e-12)
