# SPDX-License-Identifier: Apache-2.0
"""Sampling grids: for every pixel of a view, the point of the source that it shows.

Grids are in source *pixels*, (0, 0) being the centre of the top-left pixel, and are computed about
the centres of view and source, where coordinates are small and an identity stays exact. Jaderberg
et al. 2015, "Spatial Transformer Networks", section 3.2, equation 1 (affine) and its projective
extension. `align_corners=False`: a view spans the edges, not the centres, of its pixels.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from stn_perception.stn.transforms import as_homography, at_least_float32


class SamplingGrid(NamedTuple):
    """Where a view of h×w pixels samples its source.

    Attributes:
        points: N×h×w×2, (x, y) in source pixels, float32 at least.
        step_x: N×h×w×2, source pixels travelled per view pixel to the right.
        step_y: N×h×w×2, source pixels travelled per view pixel downwards.
        in_front: N×h×w bool, False where the transform folds the point from behind the camera
            (w <= 0) or has no finite point at all.
    """

    points: Tensor
    step_x: Tensor
    step_y: Tensor
    in_front: Tensor


def centered_axis(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the pixel centres of an axis measured from its middle, in pixels, length `size`."""
    return torch.arange(size, dtype=dtype, device=device) - (size - 1) / 2


def homography_grid(
    theta: Tensor, view_height: int, view_width: int, source_height: int, source_width: int
) -> SamplingGrid:
    """Return the grid of an affine or projective transform.

    Points with w <= 0, counted in the sign that w has at the view's centre, are marked in
    `in_front` and placed at a finite but meaningless point.

    Args:
        theta: source_from_view, N×2×3 or N×3×3, normalised axes; half precision is lifted.
        view_height: rows of the view, >= 1.
        view_width: columns of the view, >= 1.
        source_height: rows of the source, >= 1.
        source_width: columns of the source, >= 1.

    Returns:
        A `SamplingGrid` of float32, or float64 where theta is.

    Raises:
        ValueError: another shape.
    """
    m = at_least_float32(as_homography(theta))
    x = centered_axis(view_width, m.dtype, m.device).view(1, 1, view_width)
    y = centered_axis(view_height, m.dtype, m.device).view(1, view_height, 1)
    sign = torch.where(m[:, 2:, 2] < 0, -1.0, 1.0).to(m.dtype)
    m = m * sign.unsqueeze(2)
    per_x, per_y = 2.0 / view_width, 2.0 / view_height
    half_width, half_height = source_width / 2.0, source_height / 2.0
    h = m.unsqueeze(3).unsqueeze(4)
    # The factors are joined before they touch theta, so that equal sizes give exactly 1.
    a, b, c = h[:, 0, 0] * (half_width * per_x), h[:, 0, 1] * (half_width * per_y), h[:, 0, 2]
    d, e, f = h[:, 1, 0] * (half_height * per_x), h[:, 1, 1] * (half_height * per_y), h[:, 1, 2]
    p, q, r = h[:, 2, 0] * per_x, h[:, 2, 1] * per_y, h[:, 2, 2]
    w = p * x + q * y + r
    in_front = (w > 0) & torch.isfinite(w)
    w = torch.where(in_front, w, torch.ones_like(w))
    along_x = (a * x + b * y + c * half_width) / w
    along_y = (d * x + e * y + f * half_height) / w
    in_front = in_front & torch.isfinite(along_x) & torch.isfinite(along_y)
    step_x = torch.stack([(a - p * along_x) / w, (d - p * along_y) / w], dim=3)
    step_y = torch.stack([(b - q * along_x) / w, (e - q * along_y) / w], dim=3)
    points = torch.stack(
        [along_x + (source_width - 1) / 2, along_y + (source_height - 1) / 2], dim=3
    )
    return SamplingGrid(points, step_x, step_y, in_front)
