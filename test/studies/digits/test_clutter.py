# SPDX-License-Identifier: Apache-2.0
"""A cluttered digit lies whole where its transform says, among pieces of others."""

import pytest
import torch

from stn_perception.studies.digits.clutter import clutter
from stn_perception.studies.errors import StudyError


def gray_squares(count: int, ink: int) -> torch.Tensor:
    images = torch.zeros(count, 28, 28, dtype=torch.uint8)
    images[:, 4:24, 4:24] = ink
    return images


def test_without_pieces_the_digit_is_copied_to_whole_pixels() -> None:
    images = torch.randint(0, 256, (30, 28, 28), dtype=torch.uint8)
    made = clutter(images, torch.Generator().manual_seed(0), pieces=0)
    assert made.source_from_upright is not None
    for picture, image, theta in zip(made.images, images, made.source_from_upright, strict=True):
        x, y = (30 + 30 * theta[:2, 2] - 14).round().int().tolist()
        copied = picture[0, y : y + 28, x : x + 28]
        torch.testing.assert_close(copied, image.float() / 255, atol=2e-4, rtol=0)
        assert float(picture.sum()) == pytest.approx(float(image.float().sum()) / 255, rel=1e-3)


def test_digits_lie_everywhere() -> None:
    made = clutter(gray_squares(2000, 200), torch.Generator().manual_seed(0))
    assert made.source_from_upright is not None
    corner_px = (30 + 30 * made.source_from_upright[:, :2, 2] - 14).round().int()
    assert corner_px.amin(dim=0).tolist() == [0, 0]
    assert corner_px.amax(dim=0).tolist() == [32, 32]


def test_pieces_come_from_other_digits_and_add_their_ink() -> None:
    images = torch.cat([gray_squares(1, 0), gray_squares(1, 51)])
    made = clutter(images, torch.Generator().manual_seed(3), pieces=1)
    assert float(made.images[0].sum()) == pytest.approx(36 * 0.2, rel=1e-3)
    assert float(made.images[1].sum()) == pytest.approx(400 * 0.2, rel=1e-3)


def test_ink_is_at_most_one() -> None:
    made = clutter(gray_squares(20, 255), torch.Generator().manual_seed(0), pieces=30)
    assert float(made.images.max()) == 1.0


def test_a_lone_digit_has_no_others_to_take_pieces_from() -> None:
    with pytest.raises(StudyError, match="there are 1 digits to clutter"):
        clutter(gray_squares(1, 9), torch.Generator())
