# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from stn_perception.stn.grid import homography_grid
from stn_perception.stn.spline import control_grid, sampling_grid, spline_grid


def rest(rows: int = 4, columns: int = 4) -> torch.Tensor:
    return control_grid(rows, columns, torch.device("cpu")).unsqueeze(0)


@pytest.mark.parametrize("rows, columns", [(4, 4), (2, 2), (3, 7)])
def test_control_points_at_rest_give_the_identity(rows, columns, device, dtype):
    controls = rest(rows, columns).to(device, dtype)
    grid = spline_grid(controls, 20, 30, 20, 30, rows, columns)
    expected = homography_grid(torch.eye(3, device=device, dtype=dtype)[None], 20, 30, 20, 30)
    assert grid.points.dtype == dtype
    for ours, theirs in zip(grid[:3], expected[:3], strict=True):
        assert (ours - theirs).abs().max() < 1e-5


def test_the_spline_passes_through_its_control_points(rng):
    # Six pixels over the view: two of their centres lie on the control columns at -0.5 and 0.5.
    targets = rest(5, 5) + 0.3 * torch.randn(2, 25, 2, generator=rng, dtype=torch.float64)
    grid = spline_grid(targets, 6, 6, 2, 2, 5, 5)
    seen = grid.points[:, 1:5:3, 1:5:3] - 0.5
    assert torch.allclose(seen, targets.view(2, 5, 5, 2)[:, 1:4:2, 1:4:2], atol=1e-10)


def test_an_affine_move_of_the_control_points_gives_the_affine_grid(random_theta):
    theta = random_theta(3)[:, :2]
    targets = rest() @ theta[:, :, :2].transpose(1, 2) + theta[:, None, :, 2]
    ours = spline_grid(targets, 15, 25, 480, 640)
    theirs = homography_grid(theta, 15, 25, 480, 640)
    assert torch.allclose(ours.points, theirs.points, atol=1e-8)
    assert torch.allclose(ours.step_x, theirs.step_x, atol=1e-8)
    assert torch.allclose(ours.step_y, theirs.step_y, atol=1e-8)


def test_steps_are_the_derivatives_of_the_points(rng):
    targets = rest() + 0.2 * torch.randn(1, 16, 2, generator=rng, dtype=torch.float64)
    grid = spline_grid(targets, 500, 500, 300, 400)
    across = (grid.points[:, :, 2:] - grid.points[:, :, :-2]) / 2
    down = (grid.points[:, 2:] - grid.points[:, :-2]) / 2
    assert torch.allclose(grid.step_x[:, :, 1:-1], across, atol=2e-3)
    assert torch.allclose(grid.step_y[:, 1:-1], down, atol=2e-3)


def test_the_spline_is_differentiable(rng):
    targets = rest() + 0.1 * torch.randn(2, 16, 2, generator=rng, dtype=torch.float64)
    targets.requires_grad_()
    assert torch.autograd.gradcheck(lambda t: spline_grid(t, 3, 4, 5, 6).points, (targets,))


def test_the_spline_is_chosen_by_the_shape_of_theta():
    assert torch.equal(
        sampling_grid(rest(), 4, 5, 6, 7).points, spline_grid(rest(), 4, 5, 6, 7)[0]
    )


def test_control_grids_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="2×2 points, got 1×5"):
        control_grid(1, 5, torch.device("cpu"))
    with pytest.raises(ValueError, match="16 control points, got 9"):
        spline_grid(rest(3, 3), 4, 4, 4, 4)
