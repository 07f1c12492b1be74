# SPDX-License-Identifier: Apache-2.0
"""Translated cluttered digits: pieces of other digits all about (Jaderberg et al. 2015, A.1)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from stn_perception.studies.digits.distortion import Distorted, checked, placed
from stn_perception.studies.digits.transforms import UPRIGHT_PX, similarity
from stn_perception.studies.errors import StudyError

# MNIST's digits fill the middle 20×20 pixels; pieces of the black margin would be no clutter.
_INK_START_PX, _INK_PX = 4, 20


def clutter(
    images: Tensor,
    generator: torch.Generator,
    side_px: int = 60,
    pieces: int = 6,
    piece_px: int = 6,
) -> Distorted:
    """Put each digit anywhere on a black picture, whole pixels, and add pieces of other digits.

    Args:
        images: uint8 N×28×28, at least two; the pieces come from the others of them.
        generator: A CPU one; the same state gives the same pictures.
        side_px: Of the pictures.
        pieces: Of each picture.
        piece_px: Side of a piece.

    Raises:
        StudyError: Other images, or fewer than two.
    """
    checked(images)
    count = len(images)
    if count < 2:
        raise StudyError(f"there are {count} digits to clutter, expected at least 2.")
    room = side_px - UPRIGHT_PX
    corner_px = torch.randint(0, room + 1, (count, 2), generator=generator)
    one = torch.ones(count)
    theta = similarity(0 * one, one, corner_px - room / 2, side_px)
    clean = placed(images, theta, side_px)
    cut = _pieces(images, generator, pieces, piece_px)
    return replace(clean, images=_add(clean.images, cut, generator))


def _pieces(images: Tensor, generator: torch.Generator, pieces: int, piece_px: int) -> Tensor:
    """Cut N×pieces×side×side in 0 to 1, each out of another digit than the picture's own."""
    count = len(images)
    own = torch.arange(count).unsqueeze(1)
    other = (own + torch.randint(1, count, (count, pieces), generator=generator)) % count
    starts = torch.randint(0, _INK_PX - piece_px + 1, (2, count, pieces, 1), generator=generator)
    within = _INK_START_PX + starts + torch.arange(piece_px)
    rows, columns = within[0].unsqueeze(3), within[1].unsqueeze(2)
    return images[other.view(count, pieces, 1, 1), rows, columns].float() / 255


def _add(pictures: Tensor, cut: Tensor, generator: torch.Generator) -> Tensor:
    """Add each picture's pieces at random places; ink is at most 1."""
    count, pieces, side, _ = cut.shape
    height = width = pictures.size(2)
    starts = torch.randint(0, height - side + 1, (2, count, pieces, 1), generator=generator)
    within = starts + torch.arange(side)
    place = within[0].unsqueeze(3) * width + within[1].unsqueeze(2)
    flat = pictures.flatten(1).scatter_add(1, place.flatten(1), cut.flatten(1))
    return flat.clamp(max=1.0).view_as(pictures)
