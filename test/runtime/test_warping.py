# SPDX-License-Identifier: Apache-2.0
"""The warping back ends against each other, against OpenCV alone and against arithmetic."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.geometry.homography import homography_from_corners, transform_points
from stn_perception.geometry.pixels import view_corners
from stn_perception.runtime.backends import InputSample, backend_names, get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.sampling_plan import in_front, sampling_plan
from stn_perception.runtime.view_coverage import valid_fraction

torch.set_num_threads(1)
cv2.setNumThreads(1)

BACKENDS = ["compiled", "opencv", "reference"]
HELD_TO_REFERENCE = ["compiled", "opencv"]
COLORS = {"gray": 1, "rgb": 3, "bgr": 3, "rgba": 4, "bgra": 4}


def noise(height: int, width: int, color: str = "rgb", seed: int = 0) -> Frame:
    shape = (height, width) if color == "gray" else (height, width, COLORS[color])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Frame(pixels, color)  # type: ignore[arg-type]


def picture(height: int, width: int, color: str = "rgb", seed: int = 0) -> Frame:
    rough = noise(height, width, color, seed).pixels
    return Frame(cv2.normalize(cv2.blur(rough, (5, 5)), None, 0, 255, cv2.NORM_MINMAX), color)  # type: ignore[arg-type]


def scaled(scale_x: float, scale_y: float, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """The upright view whose top-left edge lies at frame edge (x, y), scaled."""
    return np.array(
        [
            [scale_x, 0, x + (scale_x - 1) / 2],
            [0, scale_y, y + (scale_y - 1) / 2],
            [0, 0, 1],
        ]
    )


def generic_quad(seed: int, width: int, height: int, spread: float = 0.15) -> np.ndarray:
    rng = np.random.default_rng(seed)
    unit = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]])
    return (unit + rng.uniform(-spread, spread, (4, 2))) * [width, height]


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("color", list(COLORS))
@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_the_identity_warp_is_bit_equal(name: str, color: str, interpolation: str) -> None:
    frame = noise(37, 53, color)
    view = get_backend(name).warp_view(frame, np.eye(3), 53, 37, interpolation)  # type: ignore[arg-type]
    np.testing.assert_array_equal(view, frame.pixels)


@pytest.mark.parametrize("name", BACKENDS)
def test_a_whole_pixel_shift_takes_the_pixels_as_they_are(name: str) -> None:
    frame = noise(60, 80)
    view = get_backend(name).warp_view(frame, scaled(1, 1, x=13, y=7), 20, 30)
    np.testing.assert_array_equal(view, frame.pixels[7:37, 13:33])


@pytest.mark.parametrize("name", BACKENDS)
def test_rows_with_padding_are_read_where_they_lie(name: str) -> None:
    frame = noise(60, 80)
    padded = np.zeros((60, 97, 3), dtype=np.uint8)
    padded[:, :80] = frame.pixels
    transform = homography_from_corners(generic_quad(1, 80, 60), view_corners(32, 32))
    backend = get_backend(name)
    view = backend.warp_view(Frame(padded[:, :80], "rgb"), transform, 32, 32)
    np.testing.assert_array_equal(view, backend.warp_view(frame, transform, 32, 32))


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("seed", range(6))
def test_a_view_equals_one_opencv_call_on_the_whole_frame(name: str, seed: int) -> None:
    frame = picture(240, 320, seed=seed)
    corners = generic_quad(seed, 320, 240) + ([-90, 0] if seed % 2 else [0, 0])
    frame_from_view = homography_from_corners(corners, view_corners(96, 64))
    view = get_backend(name).warp_view(frame, frame_from_view, 96, 64, antialias=False)
    expected = cv2.warpPerspective(
        frame.pixels, np.linalg.inv(frame_from_view), (96, 64), flags=cv2.INTER_LINEAR
    )
    difference = np.abs(view.astype(int) - expected)
    assert difference.mean() <= 0.05
    assert difference.max() <= 2


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.7, 4.0, 9.3])
@pytest.mark.parametrize("color", ["gray", "bgr", "rgba"])
@pytest.mark.parametrize("name", HELD_TO_REFERENCE)
def test_back_ends_agree_to_rounding(
    name: str, interpolation: str, scale: float, color: str
) -> None:
    frame = picture(200, 300, color, seed=3)
    angle = 0.3
    rotation = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    center = scaled(1, 1, x=140.3, y=95.8)
    perspective = np.array([[1, 0, 0], [0, 1, 0], [0.002, -0.001, 1]])
    transform = (
        center @ rotation @ scaled(scale, scale * 0.8) @ perspective @ scaled(1, 1, -12, -9)
    )
    views = [
        get_backend(backend).warp_view(frame, transform, 24, 18, interpolation)  # type: ignore[arg-type]
        for backend in (name, "reference")
    ]
    difference = np.abs(views[0].astype(int) - views[1])
    if interpolation == "nearest":  # a coordinate on a tie may round either way
        assert (difference > 0).mean() < 0.01
    else:
        assert difference.max() <= 2
        assert difference.mean() <= 0.3


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    frame_width=st.integers(1, 90),
    frame_height=st.integers(1, 90),
    scale=st.floats(0.05, 30),
)
def test_back_ends_agree_for_any_sizes(
    seed: int, width: int, height: int, frame_width: int, frame_height: int, scale: float
) -> None:
    frame = noise(frame_height, frame_width, "gray", seed)
    rng = np.random.default_rng(seed)
    at = rng.uniform(-0.3, 1.0, 2) * [frame_width, frame_height]
    quad = view_corners(width, height) * scale + at
    quad = quad + rng.uniform(-0.2, 0.2, (4, 2)) * scale * [width, height]
    transform = homography_from_corners(quad, view_corners(width, height))
    reference = get_backend("reference").warp_view(frame, transform, width, height).astype(int)
    for name in HELD_TO_REFERENCE:
        view = get_backend(name).warp_view(frame, transform, width, height)
        # White noise turns an error of 1e-3 px in float32 coordinates into a fraction of a level.
        assert np.abs(view - reference).max() <= 3, name


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("factor", [2, 3, 4, 8, 16])
@pytest.mark.parametrize("offset", [0, 37])
def test_noise_is_averaged_as_an_area_filter_does(name: str, factor: int, offset: int) -> None:
    frame = noise(512, 512, "gray")
    size = (512 - offset) // factor
    backend = get_backend(name)
    view = backend.warp_view(frame, scaled(factor, factor, offset, offset), size, size)
    window = frame.pixels[offset : offset + size * factor, offset : offset + size * factor]
    area = window.astype(float).reshape(size, factor, size, factor).mean(axis=(1, 3))
    assert np.abs(view - area).max() <= 1.0
    plain = backend.warp_view(
        frame, scaled(factor, factor, offset, offset), size, size, antialias=False
    )
    if factor > 2:
        assert plain.astype(float).std() > 1.5 * area.std()


@pytest.mark.parametrize("angle_deg", [10, 30, 45, 77])
@pytest.mark.parametrize("factor", [2.5, 6.0, 12.0])
def test_noise_does_not_alias_in_a_turned_view(angle_deg: float, factor: float) -> None:
    frame = noise(600, 600, "gray")
    angle = np.radians(angle_deg)
    size = int(300 / factor)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 300], [np.sin(angle), np.cos(angle), 300], [0, 0, 1]]
    )
    centered = np.array([[1, 0, -(size - 1) / 2], [0, 1, -(size - 1) / 2], [0, 0, 1]])
    transform = turn @ np.diag([factor, factor, 1]) @ centered
    view = get_backend("opencv").warp_view(frame, transform, size, size)
    area_std = 255 / np.sqrt(12) / factor
    assert 0.5 * area_std < view.astype(float).std() < 1.1 * area_std


def test_each_axis_is_reduced_as_far_as_it_needs() -> None:
    plan = sampling_plan(scaled(8, 1, 40, 20), 32, 32, 640, 480, antialias=True)
    assert plan is not None
    assert plan.width / plan.reduced_width == pytest.approx(8, rel=0.01)
    assert plan.height == plan.reduced_height


def test_a_view_reads_its_own_part_of_the_frame_only() -> None:
    plan = sampling_plan(scaled(1.2, 1.2, 3000, 1000), 64, 64, 3840, 2160, antialias=True)
    assert plan is not None
    assert plan.width <= 64 * 1.2 + 6
    assert plan.height <= 64 * 1.2 + 6
    huge = sampling_plan(scaled(1e7, 1e7, -1e8, -1e8), 64, 64, 640, 480, antialias=True)
    assert huge is not None
    assert huge.width <= 2 * 640 and huge.height <= 2 * 480


def test_points_behind_the_camera_are_black() -> None:
    frame = Frame(np.full((100, 100, 3), 200, dtype=np.uint8), "rgb")
    folding = np.array([[1.0, 0, 20], [0, 1, 20], [-0.05, 0, 1]])  # w <= 0 from x = 20 on
    front = in_front(folding, 40, 40)
    assert front[:, :20].all() and not front[:, 20:].any()
    for name in BACKENDS:
        view = get_backend(name).warp_view(frame, folding, 40, 40)
        assert (view[:, 20:] == 0).all()
        assert (view[:20, :10] == 200).all()


@pytest.mark.parametrize("name", BACKENDS)
def test_a_view_outside_the_frame_is_black(name: str) -> None:
    for color in COLORS:
        frame = noise(40, 50, color)
        view = get_backend(name).warp_view(frame, scaled(1, 1, 500, 0), 16, 8)
        assert view.shape == (8, 16, *frame.pixels.shape[2:])
        assert view.dtype == np.uint8 and not view.any()


@pytest.mark.parametrize("name", BACKENDS)
@pytest.mark.parametrize("channels", [1, 3])
def test_inputs_are_the_same_for_every_colour_order(name: str, channels: int) -> None:
    rgb = picture(120, 160).pixels
    alpha = np.full((120, 160, 1), 99, dtype=np.uint8)
    frames = [
        Frame(rgb, "rgb"),
        Frame(np.ascontiguousarray(rgb[..., ::-1]), "bgr"),
        Frame(np.concatenate([rgb, alpha], axis=2), "rgba"),
        Frame(np.concatenate([rgb[..., ::-1], alpha], axis=2), "bgra"),
    ]
    transform = homography_from_corners(generic_quad(2, 160, 120), view_corners(32, 24))
    samples = [InputSample(frame, transform) for frame in frames]
    inputs = get_backend(name).sample_inputs(samples, 32, 24, channels)
    assert inputs.shape == (4, channels, 24, 32)
    assert inputs.dtype == torch.float32
    assert inputs.is_contiguous()
    for other in inputs[1:]:
        torch.testing.assert_close(other, inputs[0], rtol=0, atol=0)
    view = get_backend(name).warp_view(frames[0], transform, 32, 24).astype(float) / 255
    expected = view if channels == 3 else view @ [0.299, 0.587, 0.114]
    got = inputs[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(got, expected.reshape(got.shape), atol=1.1 / 255)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", HELD_TO_REFERENCE)
def test_back_ends_give_the_network_the_same(name: str, channels: int) -> None:
    samples = [
        InputSample(
            picture(240, 320, color, seed=seed),
            homography_from_corners(generic_quad(seed, 320, 240, 0.2), view_corners(40, 40)),
        )
        for seed, color in enumerate(COLORS)
    ]
    inputs, reference = (
        get_backend(backend).sample_inputs(samples, 40, 40, channels)
        for backend in (name, "reference")
    )
    assert (inputs - reference).abs().max() <= 1.6 / 255
    assert float(inputs.min()) >= 0 and float(inputs.max()) <= 1


def test_gray_frames_fill_three_channels() -> None:
    frame = picture(50, 50, "gray")
    inputs = get_backend("opencv").sample_inputs([InputSample(frame, np.eye(3))], 50, 50, 3)
    expected = torch.from_numpy(frame.pixels).float() / 255
    for channel in inputs[0]:
        torch.testing.assert_close(channel, expected)


def test_an_unknown_back_end_is_refused() -> None:
    assert {"opencv", "reference"} <= set(backend_names())
    with pytest.raises(ValueError, match="'vulkan'"):
        get_backend("vulkan")


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_valid_fraction_is_the_share_of_points_inside_the_frame(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width, height = 40, 30
    quad = rng.uniform(-60, 220, 2) + view_corners(80, 60) + rng.uniform(-25, 25, (4, 2))
    transform = homography_from_corners(quad, view_corners(width, height))
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 150), np.linspace(0, 1, 150)), -1).reshape(-1, 2)
    points = transform_points(transform, grid * [width, height] - 0.5)
    inside = ((points >= -0.5) & (points <= [159.5, 119.5])).all(axis=1)
    assert valid_fraction(transform, width, height, 160, 120) == pytest.approx(
        inside.mean(), abs=0.02
    )


def test_valid_fraction_of_the_whole_and_of_nothing() -> None:
    assert valid_fraction(np.eye(3), 20, 10, 20, 10) == pytest.approx(1.0)
    assert valid_fraction(scaled(1, 1, 10, 0), 20, 10, 20, 10) == pytest.approx(0.5)
    assert valid_fraction(scaled(1, 1, 20, 0), 20, 10, 20, 10) == 0.0
    behind = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    assert valid_fraction(behind, 20, 10, 20, 10) == 0.0
