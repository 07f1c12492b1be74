# SPDX-License-Identifier: Apache-2.0
"""The theta-only derivative against the symmetric one of the sampler, which is held to central
differences by its own tests."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.runtime.sampling_plan import sampling_plan
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample

from .scenes import picture, quad_view, shifted

FRAME, VIEW = (60, 44), (20, 16)
MATRICES = {
    "identity, on every kink": shifted(0, 0),
    "whole pixels": shifted(9, 11),
    "generic": quad_view(FRAME, VIEW, 0.4, seed=1),
    "over the edge": quad_view(FRAME, VIEW, 0.5, seed=2, shift=0.35),
}


def upstream(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randn((count, 3, VIEW[1], VIEW[0]), generator=generator)


def sampled(image: torch.Tensor, image_from_view: torch.Tensor) -> torch.Tensor:
    """The sampler's view of an H×W×3 image of levels, by a transform in pixels."""
    height, width = image.shape[:2]
    theta = (
        torch.from_numpy(normalized_from_pixel(width, height))
        @ image_from_view
        @ torch.from_numpy(pixel_from_normalized(*VIEW))
    )
    grid = homography_grid(theta, VIEW[1], VIEW[0], height, width)
    return sample(image.permute(2, 0, 1).unsqueeze(0) / 255, grid, theta_only=True)


def assert_same_gradient(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert ours.grad is not None
    assert theirs.grad is not None
    size = theirs.grad.abs().max()
    assert float((ours.grad.cpu() - theirs.grad).abs().max() / size) <= 1e-5


@pytest.mark.parametrize("case", MATRICES)
def test_without_averaging_it_is_the_samplers_symmetric_derivative(
    device: torch.device, case: str
) -> None:
    from stn_perception.runtime.cuda.differentiable import differentiable_inputs

    frame = picture(*FRAME)
    pixels = torch.from_numpy(frame.pixels)
    matrix = torch.from_numpy(MATRICES[case]).unsqueeze(0)
    ours = matrix.to(device).clone().requires_grad_()
    views = differentiable_inputs(
        [(pixels.to(device), "rgb")], torch.zeros(1), ours, *VIEW, antialias=False
    )
    (views * upstream(1).to(device)).sum().backward()

    theirs = matrix.clone().requires_grad_()
    expected = sampled(pixels.double(), theirs)
    (expected * upstream(1)).sum().backward()
    assert float((views.detach().cpu() - expected.detach()).abs().max()) <= 1e-4
    assert_same_gradient(ours, theirs)


def test_with_averaging_it_is_the_derivative_over_the_averaged_frame(
    device: torch.device,
) -> None:
    from stn_perception.runtime.cuda.differentiable import differentiable_inputs

    frame, matrix = picture(*FRAME), quad_view(FRAME, VIEW, 0.75, seed=5)
    ours = torch.from_numpy(matrix).unsqueeze(0).to(device).requires_grad_()
    pixels = torch.from_numpy(frame.pixels).to(device)
    views = differentiable_inputs([(pixels, "rgb")], torch.zeros(1), ours, *VIEW)
    (views * upstream(1).to(device)).sum().backward()

    plan = sampling_plan(matrix, *VIEW, *FRAME, True)
    assert plan is not None
    assert plan.is_reduced
    part = frame.pixels[plan.inside(*FRAME)].astype(np.float64)
    part = cv2.copyMakeBorder(part, *plan.padding(*FRAME), cv2.BORDER_CONSTANT, value=0)
    size = (plan.reduced_width, plan.reduced_height)
    cells = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    fixed = plan.reduced_from_view @ np.linalg.inv(matrix)
    theirs = torch.from_numpy(matrix).unsqueeze(0).requires_grad_()
    expected = sampled(torch.from_numpy(cells), torch.from_numpy(fixed) @ theirs)
    (expected * upstream(1)).sum().backward()

    assert float((views.detach().cpu() - expected.detach()).abs().max()) <= 1e-4
    assert_same_gradient(ours, theirs)


def test_the_frame_gets_no_gradient_and_a_view_of_nothing_none(device: torch.device) -> None:
    from stn_perception.runtime.cuda.differentiable import differentiable_inputs

    pixels = torch.from_numpy(picture(*FRAME).pixels).to(device)
    matrix = torch.from_numpy(shifted(900, 0)).unsqueeze(0).to(device).requires_grad_()
    views = differentiable_inputs([(pixels, "rgb")], torch.zeros(1), matrix, *VIEW)
    views.sum().backward()
    assert matrix.grad is not None
    assert float(matrix.grad.abs().max()) == 0.0
    assert pixels.grad is None


def test_a_frame_that_is_not_there_is_refused(device: torch.device) -> None:
    from stn_perception.runtime.cuda.differentiable import differentiable_inputs

    pixels = torch.from_numpy(picture(*FRAME).pixels).to(device)
    with pytest.raises(ValueError, match="goes from 0 to 1, expected 0 to 0"):
        differentiable_inputs(
            [(pixels, "rgb")], torch.tensor([0, 1]), torch.zeros((2, 3, 3), device=device), *VIEW
        )
