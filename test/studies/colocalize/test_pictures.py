# SPDX-License-Identifier: Apache-2.0
"""A class's pictures hold one digit of it each, where the truth says."""

import torch

from stn_perception.studies.colocalize.pictures import DIGIT_PX, SIDE_PX, class_pictures
from stn_perception.studies.digits.sets import upright_digits


def test_a_translated_digit_is_cut_out_as_it_came_and_nothing_else_is_there() -> None:
    pictures = class_pictures(7, False, "validation", 20)
    known = upright_digits("validation")
    sevens = known.images[known.labels == 7].float() / 255
    for image, truth in zip(pictures.images[:, 0], pictures.truth, strict=True):
        left_px, top_px = (
            round(float(((truth[i, 2] + 1) * SIDE_PX - DIGIT_PX) / 2)) for i in range(2)
        )
        digit = image[top_px : top_px + DIGIT_PX, left_px : left_px + DIGIT_PX]
        assert float((sevens - digit).abs().amax(dim=(1, 2)).min()) < 1e-4
        assert float(image.sum() - digit.sum()) < 1e-3


def test_clutter_is_added_and_no_two_pictures_lie_alike() -> None:
    clean = class_pictures(7, False, "validation", 20)
    cluttered = class_pictures(7, True, "validation", 20)
    ink = [one.images.sum(dim=(1, 2, 3)).mean() for one in (clean, cluttered)]
    assert ink[1] > 1.3 * ink[0]
    assert len(torch.unique(cluttered.truth[:, :2, 2], dim=0)) == 20


def test_splits_share_no_picture() -> None:
    train, test = (class_pictures(3, True, split, 30).images for split in ("train", "test"))
    assert float(torch.cdist(train.flatten(1), test.flatten(1)).min()) > 1
