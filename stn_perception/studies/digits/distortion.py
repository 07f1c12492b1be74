# SPDX-License-Identifier: Apache-2.0
"""Distort digits at random: R, RTS, P and E of Jaderberg et al. 2015, appendix A.1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from stn_perception.stn import as_homography, invert
from stn_perception.studies.digits.drawing import drawn
from stn_perception.studies.digits.transforms import (
    UPRIGHT_PX,
    draw_projection,
    draw_rotation,
    draw_similarity,
    draw_spline,
    turn_at_center,
)
from stn_perception.studies.errors import StudyError

Kind = Literal["R", "RTS", "P", "E"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SIDE_PX: dict[Kind, int] = {"R": 28, "RTS": 42, "P": 28, "E": 28}


@dataclass(frozen=True, eq=False)
class Distorted:
    """Distorted digits and how they came to be; normalised axes, `align_corners=False`.

    Attributes:
        images: N×1×H×W in 0 to 1.
        upright_from_source: N×3×3, or the N×16×2 control points of a spline: what drew them.
        source_from_upright: N×3×3, the theta of a transformer that undoes it exactly; None for
            splines, whose inverse is no spline.
        angle_rad: N, the turn of source_from_upright at the digit's centre, positive from +x
            towards +y; None for splines.
    """

    images: Tensor
    upright_from_source: Tensor
    source_from_upright: Tensor | None
    angle_rad: Tensor | None


def distort(
    kind: Kind, images: Tensor, generator: torch.Generator, share: float = 1.0
) -> Distorted:
    """Distort each digit once.

    Args:
        kind: R, RTS, P or E.
        images: uint8 N×28×28.
        generator: A CPU one; the same state gives the same pictures.
        share: Of the distortion's ranges: 1 is the paper's, 0 leaves the digits as they are.

    Raises:
        StudyError: Another kind, or other images.
    """
    checked(images)
    count = len(images)
    if kind == "E":
        spline = draw_spline(count, generator, share)
        return Distorted(drawn(images, spline, SIDE_PX[kind]), spline, None, None)
    if kind == "R":
        theta = draw_rotation(count, generator, share)
    elif kind == "RTS":
        theta = draw_similarity(count, SIDE_PX[kind], generator, share)
    elif kind == "P":
        theta = draw_projection(count, generator, share)
    else:
        raise StudyError(f"the distortion is '{kind}', expected one of {', '.join(KINDS)}.")
    return placed(images, theta, SIDE_PX[kind])


def placed(images: Tensor, source_from_upright: Tensor, side_px: int) -> Distorted:
    """Draw digits under given transforms into square pictures.

    Args:
        images: uint8 N×28×28.
        source_from_upright: N×2×3 or N×3×3.
        side_px: Of the pictures.
    """
    upright_from_source = invert(source_from_upright)
    return Distorted(
        drawn(images, upright_from_source, side_px),
        upright_from_source,
        as_homography(source_from_upright),
        turn_at_center(source_from_upright),
    )


def checked(images: Tensor) -> None:
    """Refuse what are no digits.

    Raises:
        StudyError: Other than uint8 N×28×28.
    """
    if images.dtype != torch.uint8 or images.shape[1:] != (UPRIGHT_PX, UPRIGHT_PX):
        raise StudyError(
            f"the digits are {images.dtype} of shape {list(images.shape)}, "
            f"expected torch.uint8 of N×{UPRIGHT_PX}×{UPRIGHT_PX}."
        )
