# SPDX-License-Identifier: Apache-2.0
"""Views and network inputs from the kernels against the reference back end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stn_perception.messages.encodings import ColorOrder
from stn_perception.runtime.backends import InputSample, ViewSample, get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import Interpolation
from stn_perception.runtime.warp_backend import WarpBackend

from .scenes import folding, picture, quad_view, shifted

REFERENCE = get_backend("reference")
VIEW = (20, 14)


@pytest.fixture(scope="module")
def backend(device: torch.device) -> WarpBackend:
    from stn_perception.runtime.cuda.warp_triton import TritonBackend

    return TritonBackend(device)


def levels_apart(view: np.ndarray, expected: np.ndarray) -> np.ndarray:
    assert view.shape == expected.shape
    assert view.dtype == expected.dtype == np.uint8
    return np.abs(view.astype(int) - expected)


def mixed_samples() -> list[ViewSample]:
    """Frames of three sizes and four colour orders; fine, coarse, cut and folding views."""
    frames = [picture(90, 70, "bgr"), picture(61, 83, "gray"), picture(100, 52, "rgba")]
    frames.append(picture(70, 70, "bgra", seed=5))
    sizes = [(frame.width, frame.height) for frame in frames]
    return [
        ViewSample(frames[0], quad_view(sizes[0], VIEW, 0.15, seed=1)),
        ViewSample(frames[1], quad_view(sizes[1], VIEW, 0.4, seed=2)),
        ViewSample(frames[2], quad_view(sizes[2], VIEW, 0.6, seed=3, shift=0.3)),
        ViewSample(frames[3], folding()),
        ViewSample(frames[1], shifted(900, 0)),
    ]


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_views_are_within_a_level_of_the_reference(
    backend: WarpBackend, interpolation: Interpolation
) -> None:
    samples = mixed_samples()[: 2 if interpolation == "cubic" else None]
    views = backend.warp_views(samples, *VIEW, interpolation)
    for view, sample in zip(views, samples, strict=True):
        expected = REFERENCE.warp_view(sample.frame, sample.frame_from_view, *VIEW, interpolation)
        apart = levels_apart(view, expected)
        if interpolation == "nearest":  # a coordinate on a tie may round either way
            assert (apart > 0).mean() < 0.01
        else:
            assert apart.max() <= 1
            assert apart.mean() <= 0.25


def test_views_that_are_not_averaged_differ_by_rounding_alone(backend: WarpBackend) -> None:
    samples = mixed_samples()
    views = backend.warp_views(samples, *VIEW, antialias=False)
    for view, sample in zip(views, samples, strict=True):
        expected = REFERENCE.warp_view(
            sample.frame, sample.frame_from_view, *VIEW, antialias=False
        )
        assert (levels_apart(view, expected) > 0).mean() <= 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_inputs_are_within_half_a_level_of_the_reference(
    backend: WarpBackend, channels: int
) -> None:
    mixed = mixed_samples()[: 2 if channels == 1 else None]
    samples = [InputSample(sample.frame, sample.frame_from_view) for sample in mixed]
    inputs = backend.sample_inputs(samples, *VIEW, channels)
    expected = REFERENCE.sample_inputs(samples, *VIEW, channels)
    assert inputs.shape == expected.shape
    assert inputs.dtype == torch.float32
    # The reference rounds cells to levels before it interpolates between them.
    assert float((inputs.cpu() - expected).abs().max()) <= 0.501 / 255


@pytest.mark.parametrize("color", ["gray", "bgr", "rgba"])
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_a_whole_pixel_shift_takes_the_pixels_as_they_are(
    backend: WarpBackend, color: ColorOrder, interpolation: Interpolation
) -> None:
    frame = picture(40, 30, color)
    view = backend.warp_view(frame, shifted(7, 5), 20, 16, interpolation)
    np.testing.assert_array_equal(view, frame.pixels[5:21, 7:27])


def test_rows_with_padding_are_read_where_they_lie(device: torch.device) -> None:
    from stn_perception.runtime.cuda import launches
    from stn_perception.runtime.cuda.colors import input_factors
    from stn_perception.runtime.cuda.frame_table import frame_table
    from stn_perception.runtime.cuda.plans import Plans

    whole = torch.from_numpy(picture(80, 60, "bgr").pixels).to(device)
    part = whole[10:50, 20:70]
    assert not part.is_contiguous()
    plans = Plans.empty(2, device)
    plans.matrices.copy_(torch.from_numpy(quad_view((50, 40), VIEW, 0.4, seed=1)))
    plans.frame_of_view[1] = 1
    packed = part.contiguous()
    table = frame_table([(part, "bgr"), (packed, "bgr")], device)
    launches.plan(table, plans, *VIEW)
    result = torch.zeros((2, 3, VIEW[1], VIEW[0]), device=device)
    launches.inputs(table, plans, input_factors(3, device), result)
    assert torch.equal(result[0], result[1])
    assert float(result.std()) > 0.05


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-6), (torch.float16, 2e-3)])
def test_inputs_come_normalised_in_the_type_that_was_asked_for(
    device: torch.device, dtype: torch.dtype, tolerance: float
) -> None:
    from stn_perception.runtime.cuda import launches
    from stn_perception.runtime.cuda.colors import input_factors
    from stn_perception.runtime.cuda.frame_table import frame_table
    from stn_perception.runtime.cuda.plans import Plans

    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    frame = picture(60, 40, "bgra")
    matrix = quad_view((60, 40), VIEW, 0.3, seed=2, shift=0.3)
    pixels = torch.from_numpy(frame.pixels).to(device)
    plans = Plans.empty(1, device)
    plans.matrices.copy_(torch.from_numpy(matrix))
    table = frame_table([(pixels, "bgra")], device)
    launches.plan(table, plans, *VIEW)
    result = torch.zeros((1, 3, VIEW[1], VIEW[0]), dtype=dtype, device=device)
    launches.inputs(table, plans, input_factors(3, device, mean, std), result)
    plain = REFERENCE.sample_inputs([InputSample(frame, matrix)], *VIEW, 3)
    shape = (1, 3, 1, 1)
    expected = (plain - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)
    assert float((result.cpu().float() - expected).abs().max()) <= tolerance * 10


def test_coordinates_are_exact_in_the_far_corner_of_a_wide_frame(backend: WarpBackend) -> None:
    """White noise: an error of 1/255 pixel shows as a level."""
    width, height = 3840, 2160
    noise = np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)
    frame = Frame(noise, "gray")
    small = quad_view((40, 30), VIEW, 0.6, seed=8)
    samples = [InputSample(frame, shifted(3790.3, 2120.7) @ small)]
    inputs = backend.sample_inputs(samples, *VIEW, 1)
    expected = REFERENCE.sample_inputs(samples, *VIEW, 1)
    assert float(expected.std()) > 0.1
    assert float((inputs.cpu() - expected).abs().max()) <= 0.05 / 255


def test_what_a_kernel_would_misread_is_refused(device: torch.device) -> None:
    from stn_perception.runtime.cuda import launches
    from stn_perception.runtime.cuda.frame_table import frame_row
    from stn_perception.runtime.cuda.plans import Plans

    pixels = torch.zeros((4, 6, 3), dtype=torch.uint8, device=device)
    with pytest.raises(ValueError, match=r"bgra frame .* of shape \(4, 6, 3\)"):
        frame_row(pixels, "bgra")
    with pytest.raises(ValueError, match="pixels of a row one after another"):
        frame_row(pixels.transpose(0, 1), "rgb")
    table = torch.zeros((1, 6), dtype=torch.int64, device=device)
    with pytest.raises(ValueError, match="2 views are planned for 3 inputs"):
        launches.inputs(
            table, Plans.empty(2, device), table, torch.zeros((3, 1, 8, 8), device=device)
        )
