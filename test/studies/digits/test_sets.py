# SPDX-License-Identifier: Apache-2.0
"""Sets for validation and test are the same each time; training batches are drawn anew."""

import torch

from stn_perception.studies.data.digits import load_digits
from stn_perception.studies.digits.distortion import Distorted, distort
from stn_perception.studies.digits.sets import distorted_set, upright_digits


def rotated(images: torch.Tensor, generator: torch.Generator) -> Distorted:
    return distort("R", images, generator)


def test_every_digit_of_a_split_is_distorted_once_and_always_alike() -> None:
    first, again = (distorted_set("test", rotated) for _ in range(2))
    assert torch.equal(first.digits.images, again.digits.images)
    assert first.labels.tolist() == load_digits("mnist", "test").labels.tolist()
    assert first.digits.images.shape == (10_000, 1, 28, 28)
    assert first.digits.angle_rad is not None
    assert len(first.digits.angle_rad.unique()) > 9_900


def test_validation_and_test_are_distorted_differently() -> None:
    of_test, of_validation = (
        distorted_set(split, rotated).digits.angle_rad for split in ("test", "validation")
    )
    assert of_test is not None
    assert of_validation is not None
    assert not torch.equal(of_test, of_validation)


def test_a_splines_set_has_no_angle() -> None:
    made = distorted_set("test", lambda images, g: distort("E", images, g))
    assert made.digits.angle_rad is None
    assert made.digits.upright_from_source.shape == (10_000, 16, 2)


def test_a_batch_pairs_images_with_their_labels() -> None:
    upright = upright_digits("validation")
    images, labels = upright.draw(64, torch.Generator().manual_seed(1))
    for image, label in zip(images, labels, strict=True):
        same = (upright.images == image).flatten(1).all(dim=1)
        assert label in upright.labels[same]
