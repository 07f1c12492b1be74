# SPDX-License-Identifier: Apache-2.0
"""Composition and inversion of transforms, so that an image is only ever resampled once.

Names read as `a_from_b`; a composition reads by itself:
`source_from_view = compose(source_from_crop, crop_from_view)`. All axes are normalised
(`align_corners=False`). Lin & Lucey 2017 ("Inverse Compositional Spatial Transformer Networks",
section 4.2) propagate the transform instead of the warped image for the same reason.
"""

import torch
from torch import Tensor

from stn_perception.stn.transforms import as_homography, at_least_float32


def compose(a_from_b: Tensor, b_from_c: Tensor) -> Tensor:
    """Return a_from_c of two batches of transforms.

    Args:
        a_from_b: N×2×3 or N×3×3, normalised axes.
        b_from_c: N×2×3 or N×3×3, normalised axes.

    Returns:
        N×3×3, float32 at least, in whatever scale the factors had.

    Raises:
        ValueError: another shape.
    """
    left = at_least_float32(as_homography(a_from_b))
    right = at_least_float32(as_homography(b_from_c))
    # Written out: a matrix product would be free to round its inputs to TF32 or bfloat16.
    return (left.unsqueeze(3) * right.unsqueeze(1)).sum(dim=2)


def invert(a_from_b: Tensor) -> Tensor:
    """Return b_from_a.

    Args:
        a_from_b: N×2×3 or N×3×3, normalised axes.

    Returns:
        N×3×3 with [2, 2] = 1 where a's centre is in front of b; not finite for a singular input.

    Raises:
        ValueError: another shape.
    """
    m = at_least_float32(as_homography(a_from_b))
    row_0, row_1, row_2 = m[:, 0], m[:, 1], m[:, 2]
    adjugate = torch.stack(
        [
            torch.linalg.cross(row_1, row_2),
            torch.linalg.cross(row_2, row_0),
            torch.linalg.cross(row_0, row_1),
        ],
        dim=2,
    )
    determinant = (row_0 * adjugate[:, :, 0]).sum(dim=1)
    inverse = adjugate / determinant.unsqueeze(1).unsqueeze(2)
    last = inverse[:, 2:, 2:]
    return inverse / torch.where(last == 0, torch.ones_like(last), last)


def scaled_about_center(theta: Tensor, margin: float) -> Tensor:
    """Return the transform of a view that shows `margin` times as much, about the same centre.

    Args:
        theta: source_from_view, N×2×3 or N×3×3, normalised axes.
        margin: side of the larger view in sides of the given one, > 0.

    Returns:
        source_from_larger_view, N×3×3.
    """
    homography = at_least_float32(as_homography(theta))
    factors = torch.tensor([margin, margin, 1.0], dtype=homography.dtype, device=homography.device)
    return homography * factors
