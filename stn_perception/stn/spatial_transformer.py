# SPDX-License-Identifier: Apache-2.0
"""`SpatialTransformer`: a module to drop in front of any network.

Jaderberg et al. 2015, section 3: localization network, grid generator and sampler. Refinement is
that of Lin & Lucey 2017 (inverse compositional): the network looks at its own view and corrects
it, the corrections are composed, and every view is sampled from the original image.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from stn_perception.stn.checks import check_finite, valid_fraction
from stn_perception.stn.compose import compose, scaled_about_center
from stn_perception.stn.sampler import prepare_pyramid, sample_pyramid
from stn_perception.stn.spline import sampling_grid


class CanonicalViews(NamedTuple):
    """What a transformer makes of a batch.

    Attributes:
        views: N×C×h×w.
        theta: source_from_view, N×2×3, N×3×3 or N×K×2, normalised axes.
        valid_fraction: N, the share of each view that shows the source.
    """

    views: Tensor
    theta: Tensor
    valid_fraction: Tensor


class SpatialTransformer(nn.Module):
    """Localization network, grid and sampler in one module: N×C×H×W in, N×C×h×w out.

    Any batch, also an empty one, and any image size. Scripts and exports where its localization
    network does; in eager training a transform that is not finite raises, elsewhere its view is
    padding.

    Args:
        localization: image to theta, or to a dictionary with one under "theta".
        output_size: (h, w) of the view.
        localization_size: (h, w) at which the network looks, sampled with antialiasing; None
            gives it the image as it is, and in refinement a view of output_size.
        mode: bilinear, nearest or bicubic.
        padding: zeros, border or reflection.
        mip_levels: halvings for antialiasing; 0 is the paper's sampler.
        anisotropic_taps: samples along a long footprint.
        theta_only: the image gets no gradient. An image that requires none costs nothing anyway.
        refinement_steps: corrections after the first look.
        refinement_margin: sides of the view that a correction looks at; above 1 the network must
            have been trained with that margin, as its "no correction" is then a smaller view.
        control_grid: (rows, columns) of a spline's control points.

    Raises:
        ValueError: a size below 1, a negative number of steps or a margin that is not above 0.
    """

    def __init__(
        self,
        localization: nn.Module,
        output_size: tuple[int, int],
        localization_size: tuple[int, int] | None = None,
        mode: str = "bilinear",
        padding: str = "zeros",
        mip_levels: int = 4,
        anisotropic_taps: int = 2,
        theta_only: bool = False,
        refinement_steps: int = 0,
        refinement_margin: float = 1.0,
        control_grid: tuple[int, int] = (4, 4),
    ) -> None:
        super().__init__()
        if min(output_size) < 1 or min(localization_size or (1, 1)) < 1:
            raise ValueError(f"sizes must be at least 1, got {output_size}, {localization_size}")
        if refinement_steps < 0 or not refinement_margin > 0:
            raise ValueError(
                "refinement needs steps >= 0 and a margin > 0, "
                f"got {refinement_steps} and {refinement_margin}"
            )
        self.localization = localization
        self.output_size = output_size
        self.looks_at_image = localization_size is None
        self.localization_size = localization_size or output_size
        self.mode = mode
        self.padding = padding
        self.mip_levels = 0 if mode == "nearest" else mip_levels
        self.anisotropic_taps = anisotropic_taps
        self.theta_only = theta_only
        self.refinement_steps = refinement_steps
        self.refinement_margin = refinement_margin
        self.control_rows, self.control_columns = control_grid

    def forward(self, image: Tensor) -> Tensor:
        """Return the views, N×C×h×w."""
        return self.canonicalize(image).views

    @torch.jit.export
    def canonicalize(self, image: Tensor) -> CanonicalViews:
        """Return views, transforms and valid fractions of N×C×H×W images."""
        levels = self.prepare(image)
        return self.view_of(levels, self.locate(image, levels), image.dtype)

    @torch.jit.export
    def prepare(self, image: Tensor) -> list[Tensor]:
        """Return the image's mip levels, to be sampled several times."""
        return prepare_pyramid(image, self.mip_levels, self.theta_only)

    @torch.jit.export
    def locate(self, image: Tensor, levels: list[Tensor]) -> Tensor:
        """Return theta (source_from_view) after every refinement, for an image and its levels."""
        if self.looks_at_image:
            theta = self.predict(image)
        else:
            rest = torch.eye(3, dtype=levels[0].dtype, device=image.device).unsqueeze(0)
            rest = rest.expand(image.size(0), 3, 3)
            theta = self.predict(self.look(levels, rest, image.dtype))
        return self.refine(levels, theta, self.refinement_steps, image.dtype)

    @torch.jit.export
    def refine(
        self, levels: list[Tensor], theta: Tensor, steps: int, dtype: torch.dtype
    ) -> Tensor:
        """Return theta after `steps` corrections, each looked up in the original image.

        Raises:
            ValueError: a spline, which does not compose.
        """
        for _ in range(steps):
            if theta.size(2) == 2:
                raise ValueError("splines do not compose: refinement needs N×2×3 or N×3×3")
            source_from_crop = scaled_about_center(theta, self.refinement_margin)
            crop_from_view = self.predict(self.look(levels, source_from_crop, dtype))
            theta = compose(source_from_crop, crop_from_view)
        return theta

    @torch.jit.export
    def follow(self, levels: list[Tensor], theta: Tensor, dtype: torch.dtype) -> Tensor:
        """Return theta after this transformer's own look and refinements, from a given theta."""
        return self.refine(levels, theta, self.refinement_steps + 1, dtype)

    @torch.jit.export
    def predict(self, crops: Tensor) -> Tensor:
        """Return the localization network's theta for N×C×h×w crops."""
        found = self.localization(crops)
        theta: Tensor = found if isinstance(found, Tensor) else found["theta"]
        if not torch.jit.is_scripting() and (  # type: ignore[attr-defined]
            self.training and not torch.compiler.is_compiling()
        ):
            check_finite(theta)
        return theta

    @torch.jit.export
    def look(self, levels: list[Tensor], theta: Tensor, dtype: torch.dtype) -> Tensor:
        """Return what the localization network sees of an image under a transform."""
        return self.sample_at(levels, theta, self.localization_size, dtype).views

    @torch.jit.export
    def view_of(self, levels: list[Tensor], theta: Tensor, dtype: torch.dtype) -> CanonicalViews:
        """Return the final views under given transforms."""
        return self.sample_at(levels, theta, self.output_size, dtype)

    @torch.jit.export
    def sample_at(
        self, levels: list[Tensor], theta: Tensor, size: tuple[int, int], dtype: torch.dtype
    ) -> CanonicalViews:
        """Sample the levels under a transform at (h, w) = size."""
        height, width = levels[0].size(2), levels[0].size(3)
        grid = sampling_grid(
            theta, size[0], size[1], height, width, self.control_rows, self.control_columns
        )
        views = sample_pyramid(
            levels, grid, self.mode, self.padding, self.anisotropic_taps, None, dtype
        )
        return CanonicalViews(views, theta, valid_fraction(grid, height, width))
