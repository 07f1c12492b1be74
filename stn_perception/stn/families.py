# SPDX-License-Identifier: Apache-2.0
"""Transform families: from a network's raw numbers to a bounded theta.

Raw numbers are unbounded and 0 is the identity; each is squashed as limit · tanh(raw / limit),
which has slope 1 at 0. Inside the limits a view can neither collapse nor mirror nor fold, nor
leave the source altogether: where it could, the gradient would be exactly zero and no training
would bring it back. The translation comes first in every family.

theta maps view to source in normalised axes. A rotation there is one in the picture only where the
source is square; elsewhere it is one of the stretched picture.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stn_perception.stn.compose import compose
from stn_perception.stn.spline import control_grid
from stn_perception.stn.transforms import at_least_float32


@dataclass(frozen=True)
class FamilyLimits:
    """How far a family may go from the identity.

    Attributes:
        translation: of the view's centre, in half sides of the source; 1 keeps it inside.
        scale: largest factor, its inverse being the smallest, > 1.
        angle_rad: rotation, positive from +x towards +y.
        shear: of x along y, after the scale.
        perspective: w changes by this much from the view's centre to the middle of a side; below
            0.5 keeps w > 0 all over the view.
        displacement: of a spline's control point, in half sides of the source.
    """

    translation: float = 1.0
    scale: float = 4.0
    angle_rad: float = math.pi
    shear: float = 1.0
    perspective: float = 0.4
    displacement: float = 0.5

    def __post_init__(self) -> None:
        for name in ("translation", "angle_rad", "shear", "displacement"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not self.scale > 1:
            raise ValueError(f"scale must be above 1, got {self.scale}")
        if not 0 < self.perspective < 0.5:
            raise ValueError(f"perspective must be between 0 and 0.5, got {self.perspective}")


def soft_limit(raw: Tensor, limit: float) -> Tensor:
    """Return limit · tanh(raw / limit)."""
    return limit * torch.tanh(raw / limit)


class TranslationFamily(nn.Module):
    """(x, y) of the view's centre, at a fixed scale: the attention of equation 2 in the paper.

    `forward(raw N×2)` returns N×2×3.
    """

    parameter_count = 2

    def __init__(self, limits: FamilyLimits | None = None, scale: float = 1.0) -> None:
        super().__init__()
        self.limit = (limits or FamilyLimits()).translation
        self.scale = scale

    def forward(self, raw: Tensor) -> Tensor:
        """Return theta for raw numbers (x, y)."""
        shift = soft_limit(at_least_float32(raw), self.limit)
        scale = torch.full_like(shift[:, 0], self.scale)
        zero = torch.zeros_like(scale)
        return _affine_rows(scale, zero, shift[:, 0], zero, scale, shift[:, 1])

    def initial_raw(self, x: float = 0.0, y: float = 0.0) -> list[float]:
        """Return the raw numbers of a view centred at (x, y), normalised source axes."""
        return _raw_shift(x, y, self.limit)


class SimilarityFamily(nn.Module):
    """Translation, rotation and one scale. `forward(raw N×4)` returns N×2×3."""

    parameter_count = 4

    def __init__(self, limits: FamilyLimits | None = None) -> None:
        super().__init__()
        limits = limits or FamilyLimits()
        self.translation = limits.translation
        self.angle = limits.angle_rad
        self.log_scale = math.log(limits.scale)

    def forward(self, raw: Tensor) -> Tensor:
        """Return theta for raw numbers (x, y, angle in rad, log scale)."""
        raw = at_least_float32(raw)
        shift = soft_limit(raw[:, :2], self.translation)
        angle = soft_limit(raw[:, 2], self.angle)
        scale = torch.exp(soft_limit(raw[:, 3], self.log_scale))
        cosine, sine = scale * torch.cos(angle), scale * torch.sin(angle)
        return _affine_rows(cosine, -sine, shift[:, 0], sine, cosine, shift[:, 1])

    def initial_raw(self, x: float = 0.0, y: float = 0.0) -> list[float]:
        """Return the raw numbers of a view centred at (x, y), normalised source axes."""
        return [*_raw_shift(x, y, self.translation), 0.0, 0.0]


class AffineFamily(nn.Module):
    """Translation and rotation · shear · scale(x, y), determinant > 0.

    `forward(raw N×6)` returns N×2×3.
    """

    parameter_count = 6

    def __init__(self, limits: FamilyLimits | None = None) -> None:
        super().__init__()
        limits = limits or FamilyLimits()
        self.translation = limits.translation
        self.angle = limits.angle_rad
        self.log_scale = math.log(limits.scale)
        self.shear = limits.shear

    def forward(self, raw: Tensor) -> Tensor:
        """Return theta for raw (x, y, angle in rad, log scale x, log scale y, shear)."""
        raw = at_least_float32(raw)
        shift = soft_limit(raw[:, :2], self.translation)
        angle = soft_limit(raw[:, 2], self.angle)
        scale = torch.exp(soft_limit(raw[:, 3:5], self.log_scale))
        shear = soft_limit(raw[:, 5], self.shear)
        cosine, sine = torch.cos(angle), torch.sin(angle)
        return _affine_rows(
            cosine * scale[:, 0],
            (cosine * shear - sine) * scale[:, 1],
            shift[:, 0],
            sine * scale[:, 0],
            (sine * shear + cosine) * scale[:, 1],
            shift[:, 1],
        )

    def initial_raw(self, x: float = 0.0, y: float = 0.0) -> list[float]:
        """Return the raw numbers of a view centred at (x, y), normalised source axes."""
        return [*_raw_shift(x, y, self.translation), 0.0, 0.0, 0.0, 0.0]


class ProjectiveFamily(nn.Module):
    """An affine transform after a perspective one that keeps w > 0 all over the view.

    `forward(raw N×8)` returns N×3×3 with [2, 2] = 1.
    """

    parameter_count = 8

    def __init__(self, limits: FamilyLimits | None = None) -> None:
        super().__init__()
        limits = limits or FamilyLimits()
        self.affine = AffineFamily(limits)
        self.perspective = limits.perspective

    def forward(self, raw: Tensor) -> Tensor:
        """Return theta for raw: the affine family's six numbers, then w's slopes by x and y."""
        raw = at_least_float32(raw)
        slopes = soft_limit(raw[:, 6:8], self.perspective)
        ones = torch.ones_like(slopes[:, :1])
        zeros = torch.zeros_like(ones)
        perspective = torch.stack(
            [
                torch.cat([ones, zeros, zeros], dim=1),
                torch.cat([zeros, ones, zeros], dim=1),
                torch.cat([slopes, ones], dim=1),
            ],
            dim=1,
        )
        return compose(self.affine(raw[:, :6]), perspective)

    def initial_raw(self, x: float = 0.0, y: float = 0.0) -> list[float]:
        """Return the raw numbers of a view centred at (x, y), normalised source axes."""
        return [*self.affine.initial_raw(x, y), 0.0, 0.0]


class ThinPlateSplineFamily(nn.Module):
    """Bounded displacements of a regular grid of control points; 4×4 is the paper's spline.

    `forward(raw N×2K)` returns N×K×2, for `spline_grid`. Training and studies only.
    """

    control_points: Tensor

    def __init__(
        self, limits: FamilyLimits | None = None, rows: int = 4, columns: int = 4
    ) -> None:
        super().__init__()
        self.displacement = (limits or FamilyLimits()).displacement
        self.parameter_count = 2 * rows * columns
        controls = control_grid(rows, columns, torch.device("cpu")).to(torch.get_default_dtype())
        self.register_buffer("control_points", controls, persistent=False)

    def forward(self, raw: Tensor) -> Tensor:
        """Return the control points' places for raw displacements (x, y), row by row."""
        moved = soft_limit(at_least_float32(raw), self.displacement)
        shape = [raw.size(0), self.control_points.size(0), 2]
        return self.control_points.to(moved.dtype) + moved.reshape(shape)

    def initial_raw(self, x: float = 0.0, y: float = 0.0) -> list[float]:
        """Return the raw numbers of a view centred at (x, y), normalised source axes."""
        return _raw_shift(x, y, self.displacement) * self.control_points.size(0)


TransformFamily = (
    TranslationFamily | SimilarityFamily | AffineFamily | ProjectiveFamily | ThinPlateSplineFamily
)


def make_family(name: str, limits: FamilyLimits | None = None) -> TransformFamily:
    """Return a family by the name that model cards use.

    Args:
        name: translation, similarity, affine, projective or thin_plate_spline.
        limits: how far it may go; the default limits when None.

    Raises:
        ValueError: unknown name.
    """
    families: dict[str, type[TransformFamily]] = {
        "translation": TranslationFamily,
        "similarity": SimilarityFamily,
        "affine": AffineFamily,
        "projective": ProjectiveFamily,
        "thin_plate_spline": ThinPlateSplineFamily,
    }
    if name not in families:
        raise ValueError(f"family must be one of {', '.join(families)}; got {name!r}")
    return families[name](limits)


def _raw_shift(x: float, y: float, limit: float) -> list[float]:
    """Undo the soft limit for a translation.

    Raises:
        ValueError: a shift at or beyond the limit.
    """
    if abs(x) >= limit or abs(y) >= limit:
        raise ValueError(f"the start ({x}, {y}) must lie within the limit {limit}")
    return [limit * math.atanh(x / limit), limit * math.atanh(y / limit)]


def _affine_rows(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor, f: Tensor) -> Tensor:
    """Six vectors of N to N×2×3."""
    return torch.stack([torch.stack([a, b, c], dim=1), torch.stack([d, e, f], dim=1)], dim=1)
