# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch.nn import functional

from stn_perception.stn.checks import valid_mask
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample
from stn_perception.stn.symmetric_gradient import normalized_points

MODES = ["bilinear", "nearest", "bicubic"]
PADDINGS = ["zeros", "border", "reflection"]


def identity(batch: int = 1, dtype=torch.float32, device="cpu") -> torch.Tensor:
    return torch.eye(3, dtype=dtype, device=device).repeat(batch, 1, 1)


def zoom(scale: float, dtype=torch.float32) -> torch.Tensor:
    return torch.diag(torch.tensor([scale, scale, 1.0], dtype=dtype)).unsqueeze(0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", PADDINGS)
def test_sampling_agrees_with_grid_sample(mode, padding, device, dtype, rng, random_theta):
    image = torch.rand(3, 2, 12, 17, generator=rng, dtype=torch.float64).to(device, dtype)
    theta = (random_theta(3) * torch.tensor([1.6, 1.6, 1.0])).to(device, dtype)
    grid = homography_grid(theta, 9, 11, 12, 17)
    expected = functional.grid_sample(
        image,
        normalized_points(grid.points, 12, 17),
        mode=mode,
        padding_mode=padding,
        align_corners=False,
    )
    views = sample(image, grid, mode, padding)
    assert views.dtype == dtype
    assert torch.equal(views, expected)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mip_levels", [0, 4])
@pytest.mark.parametrize("size", [(37, 53), (1, 1), (1080, 1920)])
def test_trap_4_the_identity_warp_keeps_the_image(mode, mip_levels, size, device, rng):
    image = 255 * torch.rand(1, 1, *size, generator=rng).to(device)
    grid = homography_grid(identity(device=device), *size, *size)
    levels = 0 if mode == "nearest" else mip_levels
    tolerance = 1e-3 if size[1] < 100 else 0.1  # one float32 step at 1920 is 1.2e-4 px, ×255
    assert (sample(image, grid, mode, "border", levels) - image).abs().max() < tolerance


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [(480, 640), (1080, 1920)])
def test_trap_4_the_identity_warp_keeps_a_smooth_image(mode, size, device):
    ramp = torch.linspace(0, 255, size[1], device=device).expand(1, 1, *size)
    grid = homography_grid(identity(device=device), *size, *size)
    assert (sample(ramp, grid, mode, "border") - ramp).abs().max() < 1e-3


def loss_of(image, weights, mode, padding, mip_levels=0):
    size = image.shape[2:]

    def loss(theta):
        views = sample(image, homography_grid(theta, *size, *size), mode, padding, mip_levels)
        return (views * weights).sum()

    return loss


def central_differences(loss, theta, step=1e-6):
    gradient = torch.zeros_like(theta)
    for index in range(theta.numel()):
        moved = torch.zeros_like(theta).view(-1)
        moved[index] = step
        moved = moved.view_as(theta)
        gradient.view(-1)[index] = (loss(theta + moved) - loss(theta - moved)) / (2 * step)
    return gradient


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mip_levels", [0, 2])
@pytest.mark.parametrize("where", ["identity", "two pixels aside", "generic", "half out"])
def test_trap_1_gradient_equals_central_differences(
    mode, padding, mip_levels, where, rng, random_theta
):
    image = torch.rand(1, 2, 16, 20, generator=rng, dtype=torch.float64)
    weights = torch.randn(1, 2, 16, 20, generator=rng, dtype=torch.float64)
    theta = identity(dtype=torch.float64)
    if where == "two pixels aside":
        theta[0, 0, 2] = 2 * 2 / 20
    elif where == "generic":
        theta = random_theta(1)
    elif where == "half out":
        theta = random_theta(1)
        theta[0, 0, 2] = 0.9
    if mip_levels > 0:
        # Levels change at a scale of 1, and their weights are constant in the derivative.
        theta = theta * torch.tensor([0.4, 0.4, 1.0], dtype=torch.float64)
    theta.requires_grad_()
    loss = loss_of(image, weights, mode, padding, mip_levels)
    loss(theta).backward()
    with torch.no_grad():
        expected = central_differences(loss, theta)
    assert torch.allclose(theta.grad, expected, rtol=1e-5, atol=1e-5 * expected.abs().max())


def test_trap_1_the_stock_derivative_is_one_sided_at_identity(rng):
    image = torch.rand(1, 1, 16, 16, generator=rng, dtype=torch.float64)
    weights = torch.randn(1, 1, 16, 16, generator=rng, dtype=torch.float64)
    theta = identity(dtype=torch.float64)[:, :2].requires_grad_()
    stock = functional.grid_sample(
        image,
        functional.affine_grid(theta, [1, 1, 16, 16], align_corners=False),
        align_corners=False,
    )
    (stock * weights).sum().backward()
    expected = central_differences(loss_of(image, weights, "bilinear", "zeros"), theta.detach())
    assert (theta.grad - expected).abs().max() > 0.1 * expected.abs().max()


def test_trap_1_float32_finds_the_kink_too(device, rng):
    image = torch.rand(2, 3, 48, 64, generator=rng, dtype=torch.float64)
    weights = torch.randn(2, 3, 48, 64, generator=rng, dtype=torch.float64)
    gradients = []
    for dtype in (torch.float64, torch.float32):
        theta = identity(2, dtype, device).requires_grad_()
        loss_of(image.to(device, dtype), weights.to(device, dtype), "bilinear", "border")(
            theta
        ).backward()
        gradients.append(theta.grad.double())
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-3 * gradients[0].abs().max())


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("padding", PADDINGS)
def test_the_gradient_by_the_image_is_exact(mode, padding, rng, random_theta):
    image = torch.rand(2, 2, 6, 7, generator=rng, dtype=torch.float64).requires_grad_()
    theta = random_theta(2).requires_grad_()

    def views(image):
        return sample(image, homography_grid(theta, 5, 4, 6, 7), mode, padding, mip_levels=2)

    assert torch.autograd.gradcheck(views, (image,))


def test_trap_3_a_fill_value_draws_no_frame():
    image = torch.full((1, 3, 20, 20), 0.8)
    grid = homography_grid(zoom(1.5), 30, 30, 20, 20)
    assert sample(image, grid).min() == 0
    filled = sample(image, grid, fill=torch.full((3,), 0.8))
    assert torch.allclose(filled, torch.full_like(filled, 0.8))
    border = sample(image, grid, padding="border")
    assert torch.allclose(border, torch.full_like(border, 0.8))


@pytest.mark.parametrize("mip_levels", [0, 3])
def test_trap_3_zeros_after_normalisation_are_the_mean_before_it(mip_levels, rng):
    image = torch.rand(1, 3, 20, 20, generator=rng)
    mean = torch.tensor([0.5, 0.4, 0.3])
    std = torch.tensor([0.2, 0.3, 0.4])
    grid = homography_grid(zoom(1.7), 12, 12, 20, 20)

    def normalized(pixels):
        return (pixels - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)

    after = sample(normalized(image), grid, mip_levels=mip_levels)
    before = normalized(sample(image, grid, mip_levels=mip_levels, fill=mean))
    assert torch.allclose(after, before, atol=1e-5)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("mip_levels", [0, 3])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_trap_7_a_transform_that_is_not_finite_shows_no_picture(padding, mip_levels, bad, device):
    theta = identity(3, device=device)
    theta[1, 0, 0] = bad
    grid = homography_grid(theta, 8, 8, 8, 8)
    image = torch.ones(3, 1, 8, 8, device=device)
    views = sample(image, grid, padding=padding, mip_levels=mip_levels)
    assert views.isfinite().all()
    assert (views[1] == 0).all()
    assert not valid_mask(grid, 8, 8)[1].any()
    assert torch.allclose(views[[0, 2]], image[[0, 2]], atol=1e-5)


def test_trap_7_one_bad_transform_leaves_the_others_their_gradient(device):
    theta = identity(2, device=device)
    theta[0] = float("nan")
    theta.requires_grad_()
    image = torch.rand(2, 1, 8, 8, device=device)
    sample(image, homography_grid(theta, 8, 8, 8, 8)).square().sum().backward()
    assert theta.grad[1].isfinite().all() and theta.grad[1].abs().sum() > 0


@pytest.mark.parametrize("padding", PADDINGS)
def test_trap_9_what_lies_behind_the_camera_is_not_sampled(padding):
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [1.5, 0, 1]]])
    grid = homography_grid(theta, 30, 40, 30, 40)
    views = sample(torch.ones(1, 1, 30, 40), grid, padding=padding)
    assert (views[0, 0][~grid.in_front[0]] == 0).all()
    assert (views[0, 0][valid_mask(grid, 30, 40)[0]] > 0).any()


@pytest.mark.parametrize("mode", MODES)
def test_trap_8_half_precision_images_are_sampled_in_float32(mode, device):
    image = torch.rand(1, 1, 4, 2048, device=device).half()
    grid = homography_grid(identity(device=device), 4, 2048, 4, 2048)
    views = sample(image, grid, mode, "border")
    assert views.dtype == torch.float16
    assert (views - image).abs().max() < 2e-3


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (17, 5)])
def test_any_batch_and_any_image_size(batch, size, device, dtype):
    theta = identity(batch, dtype, device).requires_grad_()
    image = torch.rand(batch, 2, *size, device=device, dtype=dtype, requires_grad=True)
    views = sample(image, homography_grid(theta, 6, 7, *size), "bilinear", "border", mip_levels=3)
    assert views.shape == (batch, 2, 6, 7)
    views.sum().backward()
    assert theta.grad.shape == theta.shape and image.grad.shape == image.shape


def test_nearest_keeps_labels_and_passes_no_gradient_to_theta(rng):
    labels = torch.randint(0, 5, (1, 1, 20, 20), generator=rng).float()
    theta = zoom(0.73).requires_grad_()
    views = sample(labels, homography_grid(theta, 33, 33, 20, 20), "nearest", "border")
    assert set(views.unique().tolist()) <= set(labels.unique().tolist())
    views.sum().backward()
    assert (theta.grad == 0).all()


def test_bad_requests_are_refused_with_what_was_given():
    grid = homography_grid(identity(), 4, 4, 4, 4)
    image = torch.zeros(1, 1, 4, 4)
    with pytest.raises(ValueError, match="'linear'"):
        sample(image, grid, "linear")
    with pytest.raises(ValueError, match="'wrap'"):
        sample(image, grid, padding="wrap")
    with pytest.raises(ValueError, match="uint8"):
        sample(image.byte(), grid)
    with pytest.raises(ValueError, match=r"\[4, 4\]"):
        sample(image[0, 0], grid)
    with pytest.raises(ValueError, match="1 images, got 2"):
        sample(image.repeat(2, 1, 1, 1), grid)
    with pytest.raises(ValueError, match="nearest"):
        sample(image, grid, "nearest", mip_levels=2)
