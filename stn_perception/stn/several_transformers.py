# SPDX-License-Identifier: Apache-2.0
"""Several transformers on one image: side by side, or each on what the one before it sees.

Jaderberg et al. 2015, section 3.4. Plain `nn.Sequential` works too, and resamples a resampled
image every time; here a series composes its transforms and samples the original image once.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from stn_perception.stn.spatial_transformer import CanonicalViews, SpatialTransformer


def ring_of_starts(count: int, radius: float = 0.3) -> Sequence[tuple[float, float]]:
    """Return distinct centres for parallel views, on a ring about the source's centre.

    Args:
        count: number of views, >= 1; a single one starts at the centre.
        radius: of the ring, in half sides of the source.
    """
    if count == 1:
        return [(0.0, 0.0)]
    turns = [2.0 * math.pi * (i / count) - math.pi * 0.75 for i in range(count)]
    return [(radius * math.cos(turn), radius * math.sin(turn)) for turn in turns]


class ParallelSpatialTransformers(nn.Module):
    """K transformers of one image: N×C×H×W in, N×K×C×h×w out.

    Args:
        transformers: at least one, all with the same output size.

    Raises:
        ValueError: none, or output sizes that differ.
    """

    def __init__(self, transformers: Sequence[SpatialTransformer]) -> None:
        super().__init__()
        sizes = {transformer.output_size for transformer in transformers}
        if len(sizes) != 1:
            raise ValueError(f"parallel transformers need one output size, got {sorted(sizes)}")
        self.transformers = nn.ModuleList(transformers)

    @classmethod
    def spread_out(
        cls,
        count: int,
        build_localization: Callable[[tuple[float, float]], nn.Module],
        output_size: tuple[int, int],
        radius: float = 0.3,
        **transformer_options: Any,
    ) -> "ParallelSpatialTransformers":
        """Build K transformers that start at different places.

        Equal ones would get equal gradients from a symmetric loss and stay equal.

        Args:
            count: K.
            build_localization: from the centre of the initial view, in normalised axes, to a
                network, as in `lambda start: ConvLocalizationNetwork(family, start=start)`.
            output_size: (h, w) of the views.
            radius: of the ring of centres, in half sides of the image.
            transformer_options: passed on to `SpatialTransformer`.
        """
        return cls(
            [
                SpatialTransformer(build_localization(start), output_size, **transformer_options)
                for start in ring_of_starts(count, radius)
            ]
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return the views, N×K×C×h×w."""
        views = [transformer(image) for transformer in self.transformers]
        return torch.stack(views, dim=1)


class SerialSpatialTransformers(nn.Module):
    """Transformers one after the other: N×C×H×W in, N×C×h×w of the last one's size out.

    Each looks at the view of the transforms before it, sampled from the original image at its own
    localization size, and its correction is composed with them. The mip levels are the first
    one's, the final sampling the last one's. A `refinement_margin` counts for every one but the
    first look of the first.

    Args:
        transformers: at least one; affine or projective.

    Raises:
        ValueError: none given.
    """

    def __init__(self, transformers: Sequence[SpatialTransformer]) -> None:
        super().__init__()
        if len(transformers) == 0:
            raise ValueError("a series needs at least one transformer, got none")
        self.first = transformers[0]
        self.rest = nn.ModuleList(transformers[1:])
        self.last = transformers[-1]

    def forward(self, image: Tensor) -> Tensor:
        """Return the last views, N×C×h×w."""
        return self.canonicalize(image).views

    @torch.jit.export
    def canonicalize(self, image: Tensor) -> CanonicalViews:
        """Return the last views with the composed transforms, N×3×3 (one alone: as it comes)."""
        levels = self.first.prepare(image)
        theta = self.first.locate(image, levels)
        for transformer in self.rest:
            theta = transformer.follow(levels, theta, image.dtype)  # type: ignore[operator]
        return self.last.view_of(levels, theta, image.dtype)
