# SPDX-License-Identifier: Apache-2.0
"""A box is evidence about the corners of the quadrilateral that it was drawn around."""

import numpy as np
import pytest

from stn_perception.geometry import AxisAlignedBox, OrientedBox, corners_given_box

QUAD = np.array([(30.0, 10.0), (90.0, 25.0), (80.0, 70.0), (12.0, 55.0)])
BOX = AxisAlignedBox(center_x=51.0, center_y=40.0, width=78.0, height=60.0)


def variances(*values: float) -> np.ndarray:
    return np.diag(np.array(values, dtype=float))


def rotation(angle_rad: float) -> np.ndarray:
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([(cosine, -sine), (sine, cosine)])


def test_a_corner_that_hardly_shows_lands_on_the_boxs_side() -> None:
    seen = QUAD.copy()
    seen[3, 0] += 4.0
    covariance = variances(1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 1e-4, 25.0, 1e-4)
    corners, after = corners_given_box(seen, covariance, BOX, 0.005)
    np.testing.assert_allclose(corners, QUAD, atol=0.05)
    assert after[6, 6] < (0.005 * BOX.width) ** 2


def test_corners_that_show_stay_where_they_are() -> None:
    loose = AxisAlignedBox(center_x=55.0, center_y=42.0, width=90.0, height=70.0)
    corners, _ = corners_given_box(QUAD, np.eye(8) * 0.01, loose, 0.02)
    np.testing.assert_allclose(corners, QUAD, atol=0.1)


def test_equal_trust_meets_in_the_middle() -> None:
    seen = QUAD.copy()
    seen[3, 0] += 1.0
    sigma = 0.02
    covariance = variances(1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, (sigma * BOX.width) ** 2, 1e-9)
    corners, after = corners_given_box(seen, covariance, BOX, sigma)
    assert corners[3, 0] == pytest.approx(QUAD[3, 0] + 0.5)
    assert after[6, 6] == pytest.approx(covariance[6, 6] / 2)


def test_evidence_never_adds_uncertainty() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        root = rng.normal(size=(8, 8))
        covariance = root @ root.T
        _, after = corners_given_box(QUAD + rng.normal(size=(4, 2)), covariance, BOX, 0.02)
        assert np.linalg.eigvalsh(covariance - after).min() > -1e-9
        assert np.linalg.eigvalsh(after).min() > -1e-9


def test_samples_that_agree_with_the_box_have_the_computed_mean() -> None:
    rng = np.random.default_rng(4)
    covariance = variances(9, 9, 9, 9, 9, 9, 9, 9) * 0.04
    seen = np.add(QUAD, [(0.3, -0.2), (-0.4, 0.1), (0.2, 0.3), (0.5, -0.1)])
    drawn = seen.reshape(8) + rng.multivariate_normal(np.zeros(8), covariance, 400_000)
    points = drawn.reshape(-1, 4, 2)
    # Each side's measurement weighs the samples by its own likelihood.
    ends = np.column_stack([points[:, 3, 0], points[:, 1, 0], points[:, 0, 1], points[:, 2, 1]])
    sides = np.array([12.0, 90.0, 10.0, 70.0])
    sigmas = 0.01 * np.array([BOX.width, BOX.width, BOX.height, BOX.height])
    weights = np.exp(-0.5 * (((ends - sides) / sigmas) ** 2).sum(axis=1))
    expected = (points * weights[:, None, None]).sum(axis=0) / weights.sum()
    corners, _ = corners_given_box(seen, covariance, BOX, 0.01)
    np.testing.assert_allclose(corners, expected, atol=0.01)


def test_a_turned_box_and_quadrilateral_give_the_turned_answer() -> None:
    rng = np.random.default_rng(5)
    angle = 0.6
    turn = rotation(angle)
    root = rng.normal(size=(8, 8))
    covariance = root @ root.T
    seen = QUAD + rng.normal(size=(4, 2))
    plain, plain_after = corners_given_box(seen, covariance, BOX, 0.02)
    center = turn @ [BOX.center_x, BOX.center_y]
    turned_box = OrientedBox(center[0], center[1], BOX.width, BOX.height, angle)
    all_turned = np.kron(np.eye(4), turn)
    corners, after = corners_given_box(
        seen @ turn.T, all_turned @ covariance @ all_turned.T, turned_box, 0.02
    )
    np.testing.assert_allclose(corners, plain @ turn.T, atol=1e-9)
    np.testing.assert_allclose(after, all_turned @ plain_after @ all_turned.T, atol=1e-9)


def test_a_side_cut_by_the_frame_says_nothing() -> None:
    seen = QUAD.copy()
    seen[3, 0] -= 8.0
    usable = np.array([False, True, True, True])
    corners, _ = corners_given_box(seen, np.eye(8) * 4, BOX, 0.005, usable)
    assert corners[3, 0] == pytest.approx(seen[3, 0], abs=1e-9)


def test_a_box_without_exactness_is_refused() -> None:
    with pytest.raises(ValueError, match="box_sigma is 0"):
        corners_given_box(QUAD, np.eye(8), BOX, 0.0)
