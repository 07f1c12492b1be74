# SPDX-License-Identifier: Apache-2.0
"""The table says what the methods did, judged by the truth."""

import numpy as np
import pytest

from stn_perception.studies.registration.cases import (
    MadeRange,
    Picture,
    RegistrationCase,
    case_of_matrix,
    made_case,
    moved_points,
)
from stn_perception.studies.registration.errors import error_of_matrix
from stn_perception.studies.registration.methods import Registered, by_ecc
from stn_perception.studies.registration.rows import rows_of_files, rows_of_made, rows_of_range
from stn_perception.studies.report import Spread

PICTURE = np.full((60, 50), 100.0)


def nothing(view: Picture, _: Picture) -> Registered:
    return Registered(moved_points(np.eye(3), view.shape), np.eye(3))


def test_who_does_nothing_is_off_by_the_whole_transform() -> None:
    matrix = np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0], [0.0, 0.0, 1.0]])
    (row,) = rows_of_files([case_of_matrix("shift", PICTURE, PICTURE, matrix)], {"none": nothing})
    assert (row["px"], row["°"], row["scale"]) == pytest.approx((5.0, 0.0, 0.0))


def test_angle_and_scale_are_those_of_the_nearest_similarity() -> None:
    angle_rad = np.radians(5.0)
    cosine, sine = 1.1 * np.cos(angle_rad), 1.1 * np.sin(angle_rad)
    truth = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    case = case_of_matrix("turned", PICTURE, PICTURE, truth)
    error = error_of_matrix(case, moved_points(np.eye(3), PICTURE.shape), np.eye(3))
    assert error.angle_deg == pytest.approx(5.0)
    assert error.scale == pytest.approx(1 - 1 / 1.1)


def test_a_made_pair_has_the_turn_that_was_asked_for() -> None:
    case = made_case(PICTURE, MadeRange(), np.random.default_rng(0), turned_deg=30.0)
    assert case.matrix is not None
    angle_deg = np.degrees(np.arctan2(case.matrix[1, 0], case.matrix[0, 0]))
    assert angle_deg == pytest.approx(-30.0)


def test_figures_of_seeds_are_medians_and_repeatable() -> None:
    def make(generator: np.random.Generator) -> RegistrationCase:
        return made_case(PICTURE, MadeRange(), generator)

    first, again = (next(rows_of_made(make, {"none": nothing}, [0, 1], 3)) for _ in range(2))
    assert isinstance(first["px"], Spread) and len(first["px"].values) == 2
    assert first["px"] == again["px"] and first["°"] == again["°"]


def test_the_range_has_a_column_for_every_turn() -> None:
    (row,) = rows_of_range(PICTURE, {"none": nothing}, (20.0, 40.0), [0], 2)
    assert list(row) == ["method", "20°", "20°, ms", "40°", "40°, ms"]
    assert row["20°"] == row["40°"] == Spread((0.0,))


def test_ecc_that_does_not_converge_answers_with_its_start() -> None:
    found = by_ecc(PICTURE, PICTURE[::-1])
    np.testing.assert_array_equal(found.matrix, np.eye(3))
