# SPDX-License-Identifier: Apache-2.0
"""Theta of a pair is found to a hundredth of a pixel, without being told."""

import numpy as np
import pytest
import torch

from stn_perception.stn import SimilarityFamily, ThinPlateSplineFamily, sampling_grid
from stn_perception.studies.registration.align_settings import AlignSettings
from stn_perception.studies.registration.aligning import align
from stn_perception.studies.registration.cases import (
    MadeRange,
    Picture,
    made_case,
    made_spline_case,
)
from stn_perception.studies.registration.errors import error_of_matrix, error_of_points
from stn_perception.studies.registration.geometry import (
    pixel_matrix,
    pixel_points,
    theta_of_matrix,
)
from stn_perception.studies.registration.levels import Square, pair_levels
from stn_perception.studies.registration.linearising import grid_basis, linearise
from stn_perception.studies.registration.robust_loss import Huber, RobustLoss, Tukey

SHAPE = (90, 76)


def blobs() -> Picture:
    """A smooth picture that is nowhere alike, brighter than air."""
    generator = np.random.default_rng(5)
    rows, columns = np.indices(SHAPE)
    picture = np.full(SHAPE, 120.0)
    for _ in range(60):
        y, x = generator.uniform(0, 1, 2) * SHAPE
        width = generator.uniform(3, 9)
        height = generator.uniform(-60, 60)
        picture += height * np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2))
    return np.clip(picture, 45, 255)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_similarity_is_found(seed: int) -> None:
    made = MadeRange(shift_px=5.0, angle_deg=10.0, log_scale=0.1, noise=0.5)
    case = made_case(blobs(), made, np.random.default_rng(seed))
    found = align(
        pair_levels(case.view, case.source, 0.5),
        SimilarityFamily(),
        torch.zeros(1, 4),
        AlignSettings(),
    )
    matrix = pixel_matrix(found.theta, Square.around(*SHAPE))
    points = pixel_points(found.theta, Square.around(*SHAPE), (4, 4))
    error = error_of_matrix(case, points, matrix)
    assert error.mean_px < 0.02
    assert error.angle_deg is not None and error.angle_deg < 0.03
    assert error.scale is not None and error.scale < 1e-3


def test_another_content_in_a_corner_does_not_draw_the_result_away() -> None:
    made = MadeRange(shift_px=3.0, angle_deg=5.0, log_scale=0.05, noise=0.5)
    case = made_case(blobs(), made, np.random.default_rng(3))
    case.source[:16, :16] = 100.0
    levels = pair_levels(case.view, case.source, 0.5)
    errors_px = []
    for tukey in (AlignSettings().tukey, 1e9):
        found = align(levels, SimilarityFamily(), torch.zeros(1, 4), AlignSettings(tukey=tukey))
        points = pixel_points(found.theta, Square.around(*SHAPE), (4, 4))
        errors_px.append(error_of_points(case, points).mean_px)
    robust_px, plain_px = errors_px
    assert robust_px < 0.02
    assert robust_px < 0.5 * plain_px


def test_a_spline_is_followed_where_no_affine_transform_can() -> None:
    case = made_spline_case(blobs(), 0.5, np.random.default_rng(1))
    family = ThinPlateSplineFamily(None, 6, 6).double()
    settings = AlignSettings(control_grid=(6, 6), stiffness=30.0, steps=15)
    found = align(
        pair_levels(case.view, case.source, 0.5),
        family,
        torch.zeros(1, family.parameter_count),
        settings,
    )
    before = np.stack(np.indices(SHAPE)[::-1], axis=2)
    points = pixel_points(found.theta, Square.around(*SHAPE), (6, 6))
    left_px = error_of_points(case, points).mean_px
    assert left_px < 0.2 * error_of_points(case, before).mean_px


def test_the_basis_gives_the_grid_of_the_transformer_itself() -> None:
    level = pair_levels(blobs(), blobs(), 0.0)[0]
    side = level.view.size(3)
    family = ThinPlateSplineFamily(None, 4, 4).double()
    raw = 0.2 * torch.randn(1, 32, dtype=torch.float64, generator=torch.manual_seed(0))
    theta = family(raw)
    basis = grid_basis(level, theta, (4, 4))
    points = (basis @ theta[0] + (side - 1) / 2).reshape(side, side, 2)
    expected = sampling_grid(theta, side, side, side, side, 4, 4).points[0]
    torch.testing.assert_close(points, expected)


def test_the_step_is_that_of_the_numerical_derivative() -> None:
    level = pair_levels(blobs(), np.roll(blobs(), 1, axis=1), 1.0)[-1]
    family = SimilarityFamily()
    raw = torch.tensor([[0.01, -0.02, 0.05, 0.02]], dtype=torch.float64)
    basis = grid_basis(level, family(raw), (4, 4))
    plain = Huber(1e9)
    here = linearise(level, family, raw, basis, "bicubic")
    by_theta = torch.cat([here.slope[:, :1] * here.basis, here.slope[:, 1:] * here.basis], dim=1)
    gradient = (here.residual @ (by_theta @ here.theta_by_raw)) / len(here.residual)
    nothing = torch.zeros(4, 4, dtype=torch.float64)
    for index in range(4):
        change = torch.zeros_like(raw)
        change[0, index] = 1e-6
        costs = [
            linearise(level, family, raw + sign * change, basis, "bicubic").cost(
                plain, nothing, raw, 1.0
            )
            for sign in (1, -1)
        ]
        # Gain and offset are fitted at each place: at their best they have no derivative.
        assert float(gradient[index]) == pytest.approx((costs[0] - costs[1]) / 2e-6, rel=0.02)


def test_theta_and_pixels_are_two_names_of_one_transform() -> None:
    matrix = np.array([[0.9, -0.2, 7.0], [0.2, 0.9, -3.0], [0.0, 0.0, 1.0]])
    square = Square.around(*SHAPE)
    theta = theta_of_matrix(matrix, square)
    np.testing.assert_allclose(pixel_matrix(theta, square), matrix, atol=1e-12)
    points = pixel_points(theta, square, (4, 4))
    np.testing.assert_allclose(points[10, 20], matrix[:2] @ [20.0, 10.0, 1.0], atol=1e-9)


@pytest.mark.parametrize("loss", [Huber(2.5), Tukey(4.685)], ids=["huber", "tukey"])
def test_the_weight_of_a_loss_is_its_derivative_over_the_residual(loss: RobustLoss) -> None:
    residual = torch.linspace(-8, 8, 33, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss.value(residual).sum(), residual)
    torch.testing.assert_close(slope, loss.weight(residual.detach()) * residual.detach())
