# SPDX-License-Identifier: Apache-2.0
import io

import cv2
import numpy as np
import pytest
import torch

from stn_perception.stn.transforms import as_homography, corners_from_theta, theta_from_corners

torch.set_num_threads(1)
VIEW = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)


def random_quads(count: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    jitter = (torch.rand(count, 4, 2, generator=generator, dtype=torch.float64) - 0.5) * 0.5
    return torch.from_numpy(VIEW).double() * 0.6 + jitter


def test_theta_from_corners_agrees_with_opencv():
    quads = random_quads(200)
    theta = theta_from_corners(quads).numpy()
    for quad, ours in zip(quads.numpy(), theta, strict=True):
        expected = cv2.getPerspectiveTransform(VIEW, quad.astype(np.float32))
        np.testing.assert_allclose(ours, expected / expected[2, 2], atol=2e-5)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 2e-6), (torch.float64, 1e-14)])
def test_corners_survive_the_way_to_theta_and_back(dtype, tolerance):
    quads = random_quads(500).to(dtype)
    back = corners_from_theta(theta_from_corners(quads))
    assert back.dtype == dtype
    assert (back - quads).abs().max() < tolerance


def test_float32_theta_is_stable_for_small_and_slender_quads():
    quads = random_quads(300) * torch.tensor([0.02, 0.4], dtype=torch.float64) + 0.7
    back = corners_from_theta(theta_from_corners(quads.float())).double()
    assert (back - quads).abs().max() < 1e-5


def test_a_parallelogram_gives_an_affine_theta():
    quad = torch.tensor([[[-0.5, -0.4], [0.5, -0.2], [0.6, 0.6], [-0.4, 0.4]]])
    assert torch.allclose(theta_from_corners(quad)[0, 2], torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)


def test_theta_from_corners_is_differentiable():
    quads = random_quads(5).requires_grad_()
    assert torch.autograd.gradcheck(theta_from_corners, (quads,))
    assert torch.autograd.gradcheck(lambda q: corners_from_theta(theta_from_corners(q)), (quads,))


def test_a_quad_without_area_gives_a_finite_theta_and_gradient():
    quads = torch.zeros(1, 4, 2, requires_grad=True)
    theta = theta_from_corners(quads)
    theta.sum().backward()
    assert theta.isfinite().all()
    assert quads.grad is not None and quads.grad.isfinite().all()


@pytest.mark.parametrize("batch", [0, 1, 3])
def test_theta_from_corners_scripts_saves_and_exports(batch):
    class Module(torch.nn.Module):
        def forward(self, corners: torch.Tensor) -> torch.Tensor:
            return corners_from_theta(theta_from_corners(corners))

    quads = random_quads(batch).float()
    expected = Module()(quads)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(Module()), file)
    file.seek(0)
    assert torch.equal(torch.jit.load(file)(quads), expected)
    example = random_quads(4).float()
    program = torch.export.export(
        Module(), (example,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    assert torch.allclose(program.module()(quads), expected)


def test_sign_and_scale_of_a_homography_are_free():
    theta = theta_from_corners(random_quads(5))
    assert torch.allclose(corners_from_theta(theta * -3.0), corners_from_theta(theta))


def test_corners_behind_the_camera_are_nan():
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0], [2, 0, 1]]])
    corners = corners_from_theta(theta)
    assert corners[0, [0, 3]].isnan().all()
    assert corners[0, [1, 2]].isfinite().all()


def test_wrong_shapes_are_refused_with_the_shape():
    with pytest.raises(ValueError, match=r"\[2, 3\]"):
        as_homography(torch.zeros(2, 3))
    with pytest.raises(ValueError, match=r"\[1, 8\]"):
        theta_from_corners(torch.zeros(1, 8))
