# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from stn_perception.geometry.decomposition import decompose_affine
from stn_perception.stn.checks import inspect_transform
from stn_perception.stn.families import (
    AffineFamily,
    FamilyLimits,
    ThinPlateSplineFamily,
    TranslationFamily,
    make_family,
)
from stn_perception.stn.spline import control_grid
from stn_perception.stn.transforms import as_homography

MATRIX_FAMILIES = ["translation", "similarity", "affine", "projective"]
FAMILIES = [*MATRIX_FAMILIES, "thin_plate_spline"]


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_raw_zeros_are_the_identity(name, batch, device, dtype):
    family = make_family(name).to(device)
    theta = family(torch.zeros(batch, family.parameter_count, device=device, dtype=dtype))
    assert theta.dtype == dtype
    if name == "thin_plate_spline":
        expected = control_grid(4, 4, device).to(dtype)
    else:
        theta, expected = as_homography(theta), torch.eye(3, device=device, dtype=dtype)
    assert torch.allclose(theta, expected.expand_as(theta), atol=1e-6)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_raw_number_moves_theta_at_the_identity(name):
    family = make_family(name)
    zeros = torch.zeros(1, family.parameter_count)
    jacobian = torch.autograd.functional.jacobian(family, zeros).flatten(0, 2)[:, 0]
    assert (jacobian.abs().amax(dim=0) > 0.1).all()
    assert torch.linalg.matrix_rank(jacobian) == family.parameter_count


@pytest.mark.parametrize("name", FAMILIES)
def test_raw_numbers_start_where_they_are_asked_to(name):
    family = make_family(name)
    raw = torch.tensor(family.initial_raw(0.3, -0.2)).unsqueeze(0)
    theta = family(raw)
    center = theta.mean(dim=1)[0] if name == "thin_plate_spline" else theta[0, :2, 2]
    assert torch.allclose(center, torch.tensor([0.3, -0.2]), atol=1e-6)
    with pytest.raises(ValueError, match=r"within the limit"):
        family.initial_raw(5.0, 0.0)


@pytest.mark.parametrize("name", MATRIX_FAMILIES)
@pytest.mark.parametrize("size", [1.0, 10.0, 1e4])
def test_trap_6_no_raw_numbers_collapse_mirror_fold_or_escape(name, size, rng):
    family = make_family(name)
    raw = size * torch.randn(500, family.parameter_count, generator=rng)
    report = inspect_transform(family(raw))
    assert report.finite.all()
    assert report.in_front.all()
    assert (report.area_ratio > 1.0 / 4**2 / 4).all()
    assert (report.valid_fraction > 0).all()


@pytest.mark.parametrize("name", MATRIX_FAMILIES)
def test_trap_6_the_limits_are_kept(name, rng):
    limits = FamilyLimits(0.4, 1.5, 0.3, 0.2, 0.1, 0.1)
    family = make_family(name, limits)
    theta = family(10 * torch.randn(200, family.parameter_count, generator=rng)).double().numpy()
    if name == "projective":
        slopes = theta[:, 2, :2]
        assert abs(slopes).max() <= 0.1 + 1e-6
        theta[:, :2, :2] -= theta[:, :2, 2:] * slopes[:, None, :]  # the affine factor
    for affine in theta:
        parts = decompose_affine(affine[:2])
        assert abs(parts.angle_rad) <= 0.3 + 1e-6
        assert abs(parts.translation_x) <= 0.4 + 1e-6 and abs(parts.translation_y) <= 0.4 + 1e-6
        assert 1 / 1.5 - 1e-6 <= parts.scale_x <= 1.5 + 1e-6
        assert 1 / 1.5 - 1e-6 <= parts.scale_y <= 1.5 + 1e-6


def test_affine_family_is_rotation_shear_scale():
    raw = torch.tensor([[0.1, -0.2, 0.4, 0.2, -0.1, 0.3]], dtype=torch.float64)
    parts = decompose_affine(AffineFamily()(raw)[0].numpy())
    limits = FamilyLimits()
    assert parts.translation_x == pytest.approx(math.tanh(0.1))
    assert parts.angle_rad == pytest.approx(math.pi * math.tanh(0.4 / math.pi))
    assert parts.shear == pytest.approx(math.tanh(0.3))
    log_limit = math.log(limits.scale)
    assert math.log(parts.scale_x) == pytest.approx(log_limit * math.tanh(0.2 / log_limit))


def test_angles_turn_from_x_towards_y():
    raw = torch.tensor([[0.0, 0.0, 0.2, 0.0]])
    theta = make_family("similarity")(raw)
    assert theta[0, 1, 0] > 0 > theta[0, 0, 1]


def test_attention_keeps_its_scale():
    theta = TranslationFamily(scale=0.5)(torch.zeros(1, 2))
    assert torch.equal(theta, torch.tensor([[[0.5, 0, 0], [0, 0.5, 0]]]))


def test_a_spline_takes_any_control_grid():
    family = ThinPlateSplineFamily(rows=3, columns=5)
    assert family.parameter_count == 30
    moved = family(torch.full((2, 30), 1e6)) - family(torch.zeros(2, 30))
    assert torch.allclose(moved, torch.full_like(moved, 0.5))


def test_limits_and_names_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match=r"scale must be above 1, got 1\.0"):
        FamilyLimits(scale=1.0)
    with pytest.raises(ValueError, match=r"between 0 and 0\.5, got 0\.5"):
        FamilyLimits(perspective=0.5)
    with pytest.raises(ValueError, match="angle_rad must be above 0, got nan"):
        FamilyLimits(angle_rad=math.nan)
    with pytest.raises(ValueError, match="'rigid'"):
        make_family("rigid")
