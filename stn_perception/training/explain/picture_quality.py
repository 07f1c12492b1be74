# SPDX-License-Identifier: Apache-2.0
"""What makes a case hard, measured along an outline: contrast, blur, foreshortening."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ALONG, _ACROSS = 24, 21


@dataclass(frozen=True)
class Quality:
    """Figures of one outline.

    Attributes:
        contrast: gray levels by which the picture changes across the outline, median over it.
        blur_px: width of that change in pixels of the frame: its height over its steepest slope.
        foreshortening: how much longer one side is than the opposite one, the larger of both
            pairs; 1 is none.
    """

    contrast: float
    blur_px: float
    foreshortening: float


def quality(gray: NDArray[np.uint8], quad: Array) -> Quality:
    """Measure an outline, 4×2 pixels, in a gray picture."""
    following = np.roll(quad, -1, axis=0)
    edges = following - quad
    lengths = np.linalg.norm(edges, axis=1)
    normals = np.stack([-edges[:, 1], edges[:, 0]], axis=1) / np.maximum(lengths, 1e-9)[:, None]
    reach = max(2.5, 0.06 * float(lengths.mean()))
    along = np.linspace(0.12, 0.88, _ALONG)[None, :, None, None]
    offsets = np.linspace(-reach, reach, _ACROSS)
    points = quad[:, None, None] * (1 - along) + following[:, None, None] * along
    points = points + normals[:, None, None] * offsets[None, None, :, None]
    at = points.reshape(4 * _ALONG, _ACROSS, 2).astype(np.float32)
    profiles = cv2.remap(
        gray, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float64)
    changes = np.ptp(profiles, axis=1)
    step = offsets[1] - offsets[0]
    slopes = np.abs(np.diff(profiles, axis=1)).max(axis=1) / step
    seen = changes > max(4.0, float(np.median(changes)) / 2)
    blur = float(np.median(changes[seen] / slopes[seen])) if seen.any() else float("nan")
    return Quality(
        contrast=float(np.median(changes)),
        blur_px=blur,
        foreshortening=max(_ratio(lengths[0], lengths[2]), _ratio(lengths[1], lengths[3])),
    )


def _ratio(first: float, second: float) -> float:
    return float(max(first, second) / max(min(first, second), 1e-9))
