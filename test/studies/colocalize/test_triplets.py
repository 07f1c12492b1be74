# SPDX-License-Identifier: Apache-2.0
"""The loss is lowest where every view shows the digit, whole and in the middle."""

import pytest
import torch
from torch import Tensor

from stn_perception.stn import homography_grid, sample
from stn_perception.studies.colocalize.encoding import Encoding, squared_distances
from stn_perception.studies.colocalize.pictures import class_pictures
from stn_perception.studies.colocalize.triplets import off_center, triplet_loss


def views_at(theta: Tensor) -> Tensor:
    images = class_pictures(4, True, "validation").images
    return sample(images, homography_grid(theta, 28, 28, 84, 84))


def moved(x_px: float, y_px: float = 0.0) -> Tensor:
    """Views that miss the digit's middle by so much."""
    theta = class_pictures(4, True, "validation").truth.clone()
    theta[:, 0, 2] += x_px * 2 / 84
    theta[:, 1, 2] += y_px * 2 / 84
    return theta


def shuffled() -> Tensor:
    """The digit's place in another picture, which is anywhere in this one."""
    return class_pictures(4, True, "validation").truth.roll(1, 0)


def test_looking_at_the_digits_is_better_than_beside_them_elsewhere_or_at_nothing() -> None:
    encoding = Encoding()
    at_random = encoding(views_at(shuffled()))

    def loss(views: Tensor) -> float:
        return float(triplet_loss(encoding(views), at_random))

    digits = loss(views_at(moved(0)))
    assert digits < loss(views_at(moved(25))) - 0.3
    assert digits < loss(views_at(shuffled().roll(1, 0)))
    assert digits + 0.9 < loss(torch.zeros(100, 1, 28, 28))


def test_the_hinge_lets_go_of_pairs_that_are_close_enough() -> None:
    near, far = torch.tensor([[1.0, 0.0]] * 3), torch.tensor([[-1.0, 0.0]] * 3)
    assert float(triplet_loss(near, far, margin=3.9)) == 0
    assert float(triplet_loss(near, far, margin=4.5)) == pytest.approx(0.5)
    assert float(triplet_loss(near, near, margin=0.5)) == pytest.approx(0.5)


def test_distances_are_those_of_unit_vectors() -> None:
    a, b = (torch.nn.functional.normalize(torch.randn(5, 7), dim=1) for _ in range(2))
    assert torch.allclose(squared_distances(a, b), torch.cdist(a, b).square(), atol=1e-5)


@pytest.mark.parametrize(("x_px", "y_px"), [(6.0, 0.0), (0.0, -6.0)])
def test_ink_that_lies_off_the_middle_is_seen_through_clutter(x_px: float, y_px: float) -> None:
    centred = float(off_center(views_at(moved(0))))
    missed = float(off_center(views_at(moved(x_px, y_px))))
    assert centred < 0.02
    assert missed == pytest.approx((6 / 14) ** 2, rel=0.6) and missed > 4 * centred
