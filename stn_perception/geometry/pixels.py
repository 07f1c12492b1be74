# SPDX-License-Identifier: Apache-2.0
"""Pixel conventions: where a pixel is, and what normalised axes mean.

Convention: pixel (0, 0) is the **centre** of the top-left pixel (OpenCV, ROS), so an image of
W × H pixels spans [-0.5, W - 0.5] × [-0.5, H - 0.5]. Normalised axes run over the same span from
-1 to 1 (``align_corners=False``): x_n = (2 x + 1) / W - 1.
"""

from __future__ import annotations

import numpy as np

from stn_perception.geometry.arrays import FloatArray, check_size


def view_corners(width: float, height: float) -> FloatArray:
    """Corners of a view, 4×2 pixels: top-left, top-right, bottom-right, bottom-left.

    They are the outer edges of the corner pixels, not pixel centres.
    """
    check_size(width, height)
    right, bottom = width - 0.5, height - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def view_center(width: float, height: float) -> FloatArray:
    """Centre of a view in its own pixels, shape (2,)."""
    check_size(width, height)
    return np.array([(width - 1) / 2, (height - 1) / 2])


def normalized_from_pixel(width: float, height: float) -> FloatArray:
    """3×3 transform from pixels of a W × H image to normalised axes, align_corners=False."""
    check_size(width, height, "image")
    return np.array(
        [[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]],
        dtype=np.float64,
    )


def pixel_from_normalized(width: float, height: float) -> FloatArray:
    """3×3 transform from normalised axes to pixels of a W × H image, align_corners=False."""
    check_size(width, height, "image")
    return np.array(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]],
        dtype=np.float64,
    )


def resized_from_source(scale_x: float, scale_y: float) -> FloatArray:
    """3×3 pixel transform of a resize: x maps to (x + 0.5)·scale_x - 0.5, likewise y."""
    check_size(scale_x, scale_y, "scale")
    return np.array(
        [[scale_x, 0, (scale_x - 1) / 2], [0, scale_y, (scale_y - 1) / 2], [0, 0, 1]],
        dtype=np.float64,
    )


def centered_from_edge_pixels() -> FloatArray:
    """3×3 transform from coordinates that count edges from 0 to pixel-centre coordinates."""
    return np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]], dtype=np.float64)
