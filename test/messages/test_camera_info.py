# SPDX-License-Identifier: Apache-2.0
"""Claims about camera info."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stn_perception.geometry import (
    PinholeIntrinsics,
    VirtualCamera,
    homography_from_corners,
    uncalibrated_camera,
    view_corners,
    virtual_camera,
)
from stn_perception.messages import (
    DropReason,
    MessageError,
    camera_info_from_virtual_camera,
    intrinsics_from_camera_info,
    stamp_ns,
)

STAMP = 1_700_000_000_123_456_789
K = np.array([[310.0, 0, 161], [0, 290, 118], [0, 0, 1]])
P = np.array([[300.0, 0, 150, -30], [0, 300, 110, 0], [0, 0, 1, 0]])
QUAD = np.array([[100.0, 90], [180, 100], [170, 180], [95, 165]])


def camera_info(**changes: Any) -> Any:
    fields: dict[str, Any] = {
        "header": SimpleNamespace(frame_id="camera_optical"),
        "height": 240,
        "width": 320,
        "distortion_model": "plumb_bob",
        "d": [-0.3, 0.1, 0, 0, 0],
        "k": K.ravel(),
        "r": np.eye(3).ravel(),
        "p": P.ravel(),
        "binning_x": 0,
        "binning_y": 0,
        "roi": SimpleNamespace(x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    }
    return SimpleNamespace(**{**fields, **changes})


def pixel(intrinsics: PinholeIntrinsics, point: list[float]) -> np.ndarray:
    homogeneous = intrinsics.matrix @ point + intrinsics.translation_column
    return np.asarray(homogeneous[:2] / homogeneous[2])


def view_camera() -> VirtualCamera:
    view_from_frame = homography_from_corners(view_corners(120, 80), QUAD)
    return virtual_camera(view_from_frame, PinholeIntrinsics(P[:, :3], P[:, 3]), 120, 80)


def test_a_rectified_image_is_described_by_its_projection() -> None:
    found = intrinsics_from_camera_info(camera_info())
    assert found is not None
    np.testing.assert_array_equal(found.matrix, P[:, :3])
    np.testing.assert_array_equal(found.translation_column, P[:, 3])
    assert (found.width, found.height, found.frame_id) == (320, 240, "camera_optical")


def test_a_distorted_image_that_is_not_rectified_is_refused() -> None:
    with pytest.raises(MessageError, match="rectify it first") as caught:
        intrinsics_from_camera_info(camera_info(), input_is_rectified=False)
    assert caught.value.reason is DropReason.DISTORTED_CAMERA_INFO


@pytest.mark.parametrize("d", [[], [0.0] * 5])
def test_an_undistorted_raw_image_is_described_by_k(d: list[float]) -> None:
    found = intrinsics_from_camera_info(camera_info(d=d), input_is_rectified=False)
    assert found is not None
    np.testing.assert_array_equal(found.matrix, K)
    assert not found.translation_column.any()


def test_an_empty_projection_is_k_only_without_distortion() -> None:
    found = intrinsics_from_camera_info(camera_info(p=np.zeros(12), d=[]))
    assert found is not None
    np.testing.assert_array_equal(found.matrix, K)
    with pytest.raises(MessageError) as caught:
        intrinsics_from_camera_info(camera_info(p=np.zeros(12)))
    assert caught.value.reason is DropReason.DISTORTED_CAMERA_INFO


def test_an_uncalibrated_camera_has_no_intrinsics() -> None:
    assert intrinsics_from_camera_info(camera_info(k=np.zeros(9), p=np.zeros(12))) is None


@pytest.mark.parametrize("rectified", [True, False])
def test_binning_and_region_move_a_point_as_the_sensor_does(rectified: bool) -> None:
    point = [0.1, -0.05, 1.3]
    roi = SimpleNamespace(x_offset=40, y_offset=20, height=200, width=240, do_rectify=False)
    full = intrinsics_from_camera_info(camera_info(d=[]), rectified)
    part = intrinsics_from_camera_info(
        camera_info(d=[], roi=roi, binning_x=2, binning_y=4), rectified
    )
    assert full is not None
    assert part is not None
    # Edges of pixels scale; centres are half a pixel from them.
    expected = (pixel(full, point) + 0.5 - [40, 20]) / [2, 4] - 0.5
    np.testing.assert_allclose(pixel(part, point), expected)
    assert (part.width, part.height) == (120, 50)


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        (DropReason.NOT_FINITE, {"p": np.full(12, np.nan)}),
        (DropReason.NOT_FINITE, {"k": np.full(9, np.inf)}),
        (DropReason.BAD_SIZE, {"k": [1.0] * 8}),
        (DropReason.BAD_SIZE, {"p": [1.0] * 12}),
    ],
)
def test_numbers_that_are_no_camera_are_refused(
    reason: DropReason, changes: dict[str, Any]
) -> None:
    with pytest.raises(MessageError) as caught:
        intrinsics_from_camera_info(camera_info(**changes))
    assert caught.value.reason is reason


def test_the_exact_transform_travels_inside_camera_info(factory: Any, head: Any) -> None:
    camera = view_camera()
    message = camera_info_from_virtual_camera(factory, head, camera)
    projection = np.array(message.p).reshape(3, 4)
    turn, source = np.array(message.r).reshape(3, 3), np.array(message.k).reshape(3, 3)
    found = projection[:, :3] @ turn @ np.linalg.inv(source)
    expected = homography_from_corners(view_corners(120, 80), QUAD)
    np.testing.assert_allclose(found / found[2, 2], expected / expected[2, 2], rtol=1e-9)
    assert (message.width, message.height) == (120, 80)
    assert len(message.d) == 0
    assert (message.binning_x, message.roi.width, message.roi.do_rectify) == (0, 0, False)
    np.testing.assert_allclose(projection[:, 3], camera.projection_column)
    assert stamp_ns(message) == STAMP
    assert message.header.frame_id == "camera_optical"


def test_a_view_of_a_view_is_a_camera_again(factory: Any, head: Any) -> None:
    camera = view_camera()
    message = camera_info_from_virtual_camera(factory, head, camera)
    found = intrinsics_from_camera_info(message)
    assert found is not None
    np.testing.assert_array_equal(found.matrix, camera.view_matrix)


def test_an_uncalibrated_view_says_so(factory: Any, head: Any) -> None:
    view_from_frame = homography_from_corners(view_corners(120, 80), QUAD)
    camera = uncalibrated_camera(view_from_frame, 120, 80)
    message = camera_info_from_virtual_camera(factory, head, camera)
    assert not np.array(message.k).any()
    found = np.array(message.p).reshape(3, 4)[:, :3] @ np.array(message.r).reshape(3, 3)
    np.testing.assert_array_equal(found, view_from_frame)
    assert intrinsics_from_camera_info(message) is None
