# SPDX-License-Identifier: Apache-2.0
"""CameraInfo to intrinsics, and the virtual camera of a view to CameraInfo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import FloatArray, PinholeIntrinsics, VirtualCamera
from stn_perception.messages.factory import MessageFactory
from stn_perception.messages.outcomes import DropReason, MessageError


def intrinsics_from_camera_info(
    message: Any, input_is_rectified: bool = True
) -> PinholeIntrinsics | None:
    """Intrinsics of the image that a sensor_msgs/CameraInfo comes with; None if not calibrated.

    A rectified image's are P (its CameraInfo usually still carries the raw K and D); where a
    driver left P empty, they are K, if D is zero. Of an image that is not rectified they are K,
    and D must be zero. Both are then adjusted for the region of interest (in full-resolution
    pixels) and binning: u = (u_full - x_offset + 0.5) / binning - 0.5. Width and height are the
    image's as it arrives. Not calibrated is K[0] = 0 (the message's own rule).

    Raises:
        MessageError: DISTORTED_CAMERA_INFO, NOT_FINITE, or BAD_SIZE for numbers that are no
            camera.
    """
    K = _numbers(message.k, 9, "K").reshape(3, 3)
    if K[0, 0] == 0:
        return None
    P = _numbers(message.p, 12, "P").reshape(3, 4)
    if input_is_rectified and P[0, 0] != 0:
        matrix, column = P[:, :3], P[:, 3]
    else:
        _refuse_distortion(message, input_is_rectified)
        matrix, column = K, np.zeros(3)
    window, (width, height) = _window(message)
    try:
        return PinholeIntrinsics(
            matrix=window @ matrix,
            translation_column=window @ column,
            width=width,
            height=height,
            frame_id=str(message.header.frame_id),
        )
    except ValueError as error:
        raise MessageError(DropReason.BAD_SIZE, f"camera_info is no camera: {error}") from error


def camera_info_from_virtual_camera(
    factory: MessageFactory, header: Any, camera: VirtualCamera
) -> Any:
    """The CameraInfo of a view: P[:, :3] · R · K⁻¹ is the exact ``view_from_frame``.

    K is the source's, D empty, R = R″ (view_from_optical), P = [K″ | translation]; width and
    height are the view's. Without calibration K is zero and P · R the transform itself.
    """
    projection = np.column_stack([camera.view_matrix, camera.projection_column])
    return factory.make(
        "sensor_msgs/msg/CameraInfo",
        header=header,
        height=int(camera.height),
        width=int(camera.width),
        distortion_model="plumb_bob",
        d=factory.floats64([]),
        k=factory.floats64(camera.source_matrix.ravel()),
        r=factory.floats64(camera.rotation.ravel()),
        p=factory.floats64(projection.ravel()),
        binning_x=0,
        binning_y=0,
        roi=factory.make(
            "sensor_msgs/msg/RegionOfInterest",
            x_offset=0,
            y_offset=0,
            height=0,
            width=0,
            do_rectify=False,
        ),
    )


def _numbers(values: Any, count: int, name: str) -> FloatArray:
    array: NDArray[np.float64] = np.array(values, dtype=np.float64).ravel()
    if array.size != count:
        raise MessageError(
            DropReason.BAD_SIZE, f"camera_info's {name} has {array.size} numbers, expected {count}"
        )
    if not np.isfinite(array).all():
        raise MessageError(DropReason.NOT_FINITE, f"camera_info's {name} holds NaN or infinity")
    return array


def _refuse_distortion(message: Any, input_is_rectified: bool) -> None:
    distortion = np.array(message.d, dtype=np.float64).ravel()
    if not distortion.any():
        return
    found = f"D = {distortion.tolist()}"
    if input_is_rectified:
        text = f"camera_info has no P but {found}: the rectified intrinsics are unknown"
    else:
        text = f"camera_info has {found} and the input is not rectified: rectify it first"
    raise MessageError(DropReason.DISTORTED_CAMERA_INFO, text)


def _window(message: Any) -> tuple[FloatArray, tuple[int, int]]:
    """The pixel transform of region of interest and binning, and the image's (width, height)."""
    roi = message.roi
    binning_x, binning_y = max(1, int(message.binning_x)), max(1, int(message.binning_y))
    width = int(roi.width) or int(message.width)
    height = int(roi.height) or int(message.height)
    window = np.array(
        [
            [1 / binning_x, 0, (0.5 - int(roi.x_offset)) / binning_x - 0.5],
            [0, 1 / binning_y, (0.5 - int(roi.y_offset)) / binning_y - 0.5],
            [0, 0, 1],
        ]
    )
    return window, (width // binning_x, height // binning_y)
