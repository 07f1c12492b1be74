# SPDX-License-Identifier: Apache-2.0
"""Transforms as tensors: theta from a view's four corners and back, lifted forms, the identity.

Convention: a theta maps *view* to *source* in normalised axes (x_n = (2 x + 1) / width - 1, the
same for y: `align_corners=False`), the meaning of `torch.nn.functional.affine_grid`. N×2×3 is an
affine transform, N×3×3 a homography whose scale and sign are free. A view's corners lie at
(-1, -1), (1, -1), (1, 1), (-1, 1): top-left, top-right, bottom-right, bottom-left.

Everything here works element by element: matrix products may run in reduced precision (TF32,
autocast) and would move a corner by a pixel in a wide frame.
"""

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    """Return `tensor` in float32, or float64 where it is that already.

    Half precision cannot address a wide frame (0.5 px at 1920), so no coordinate is kept in it.
    """
    if tensor.dtype == torch.float64:
        return tensor
    return tensor.to(torch.float32)


def identity_theta(batch: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return the identity, `batch`×3×3."""
    return torch.eye(3, dtype=dtype, device=device).unsqueeze(0).expand(batch, 3, 3)


def as_homography(theta: Tensor) -> Tensor:
    """Lift N×2×3 to N×3×3; N×3×3 passes unchanged.

    Raises:
        ValueError: another shape.
    """
    if theta.dim() != 3 or theta.size(2) != 3 or (theta.size(1) != 2 and theta.size(1) != 3):
        raise ValueError(f"theta must be N×2×3 or N×3×3, got {list(theta.shape)}")
    if theta.size(1) == 3:
        return theta
    ones = torch.ones_like(theta[:, :1, 2:])
    zeros = torch.zeros_like(theta[:, :1, :2])
    return torch.cat([theta, torch.cat([zeros, ones], dim=2)], dim=1)


def theta_from_corners(corners: Tensor) -> Tensor:
    """Return the homography that takes a view's corners to the given ones.

    Closed form: corner i, in homogeneous coordinates, gets as its weight the area of the triangle
    of the other three (the one linear relation between four points of a plane, as in Heckbert
    1989, section 2.2.3, written symmetrically). The only division is by the quadrilateral's signed
    area, so that float32 holds for every quadrilateral that has an area. A concave one gives
    w <= 0 inside the view, a mirrored one a negative determinant; below an area of 1e-8 the result
    is finite but singular. All three are for the caller to refuse.

    Args:
        corners: N×4×2, (x, y) of the view's top-left, top-right, bottom-right and bottom-left
            corner in normalised source axes; float32 or float64 (half is lifted to float32).

    Returns:
        source_from_view, N×3×3, normalised axes on both sides, theta[2, 2] = 1.

    Raises:
        ValueError: another shape.
    """
    if corners.dim() != 3 or corners.size(1) != 4 or corners.size(2) != 2:
        raise ValueError(f"corners must be N×4×2, got {list(corners.shape)}")
    corners = at_least_float32(corners)
    # Around and around, so that a slice holds each corner's next, next but one, and so on.
    twice = torch.cat([corners, corners], dim=1)
    first, second, third = twice[:, 1:5], twice[:, 2:6], twice[:, 3:7]
    weights = _double_area(first, second, third)
    total = weights.sum(dim=1, keepdim=True)
    smallest = torch.where(total < 0, -1e-8, 1e-8).to(total.dtype)
    total = torch.where(total.abs() < 1e-8, smallest, total)
    weights = weights / total
    homogeneous = torch.cat([corners * weights, weights], dim=2)
    # Corners across from each other, top-left and bottom-right first.
    start, end = homogeneous[:, :2], homogeneous[:, 2:]
    falling, rising = (end - start).unbind(dim=1)
    together = (start + end).sum(dim=1)
    return torch.stack([falling - rising, falling + rising, together], dim=2)


def corners_from_theta(theta: Tensor) -> Tensor:
    """Return where a view's corners land in the source.

    Args:
        theta: source_from_view, N×2×3 or N×3×3, normalised axes.

    Returns:
        N×4×2 in normalised source axes, order as in `theta_from_corners`; NaN for a corner behind
        the camera (w <= 0 where w > 0 at the view's centre).
    """
    homography = at_least_float32(as_homography(theta))
    x = torch.tensor([-1.0, 1.0, 1.0, -1.0], dtype=homography.dtype, device=homography.device)
    y = torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=homography.dtype, device=homography.device)
    rows = homography.unsqueeze(3)
    mapped = rows[:, :, 0] * x + rows[:, :, 1] * y + rows[:, :, 2]
    sign = torch.where(homography[:, 2:, 2] < 0, -1.0, 1.0).to(homography.dtype)
    w = mapped[:, 2] * sign
    in_front = (w > 0).unsqueeze(2)
    safe_w = torch.where(w > 0, w, torch.ones_like(w)).unsqueeze(2)
    points = (mapped[:, :2] * sign.unsqueeze(2)).transpose(1, 2) / safe_w
    return torch.where(in_front, points, torch.full_like(points, float("nan")))


def _double_area(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Twice the signed area of the triangles a b c (N×K×2 each), N×K×1, positive if clockwise."""
    ab = b - a
    ac = c - a
    return ab[:, :, :1] * ac[:, :, 1:] - ab[:, :, 1:] * ac[:, :, :1]
