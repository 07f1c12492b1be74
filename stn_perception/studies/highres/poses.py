# SPDX-License-Identifier: Apache-2.0
"""From a sign's pose to theta in a square window of its frame, and what a network says of poses.

A pose is N×4: the centre's x and y in frame pixels, the logarithm of the side in pixels, and the
angle in radians, positive from +x towards +y.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from stn_perception.studies.highres.frames import Frame


def pose_tensor(frames: list[Frame]) -> Tensor:
    """Return the true poses, N×4."""
    poses = [frame.pose for frame in frames]
    return torch.tensor([[*p.center_px, math.log(p.side_px), p.angle_rad] for p in poses])


def window_theta(poses: Tensor, corners_px: Tensor, window_px: int, margin: float) -> Tensor:
    """Return window_from_view, N×2×3 in normalised axes.

    Args:
        poses: N×4.
        corners_px: N×2, (x, y) of the windows' first pixels in the frame.
        window_px: Side of the square windows.
        margin: Side of the view in sides of the sign.
    """
    center = (2 * (poses[:, :2] - corners_px) + 1) / window_px - 1
    scale = margin * poses[:, 2].exp() / window_px
    cosine, sine = scale * poses[:, 3].cos(), scale * poses[:, 3].sin()
    rows = [
        torch.stack([cosine, -sine, center[:, 0]], dim=1),
        torch.stack([sine, cosine, center[:, 1]], dim=1),
    ]
    return torch.stack(rows, dim=1)
