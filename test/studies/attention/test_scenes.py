# SPDX-License-Identifier: Apache-2.0
"""Scenes hold what they say, where they say."""

import pytest
import torch

from stn_perception.studies.attention.scenes import DIGIT_PX, SIDE_PX, SceneMaker, Scenes
from stn_perception.studies.data.digits import load_digits


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    return SceneMaker("validation").draw(60, torch.Generator().manual_seed(3))


def test_the_two_digits_differ_and_lie_apart(scenes: Scenes) -> None:
    assert scenes.images.shape == (60, 1, SIDE_PX, SIDE_PX)
    assert 0 <= scenes.images.min() < scenes.images.max() <= 1
    assert (scenes.digits[:, 0] != scenes.digits[:, 1]).all()
    apart_px = (scenes.centers[:, 0] - scenes.centers[:, 1]).abs().amax(dim=1) * SIDE_PX / 2
    assert apart_px.min() >= 24 - 1e-3


def test_a_digit_lies_where_its_centre_says(scenes: Scenes) -> None:
    """Some picture of that digit is wholly under the scene at that place, and of that label."""
    digits = load_digits("mnist", "validation")
    for scene in range(5):
        corner = ((scenes.centers[scene, 0] + 1) / 2 * SIDE_PX - DIGIT_PX / 2).round().int()
        x, y = corner.tolist()
        patch = (scenes.images[scene, 0, y : y + DIGIT_PX, x : x + DIGIT_PX] * 255).round()
        under = (torch.from_numpy(digits.images).float() <= patch + 0.5).flatten(1).all(dim=1)
        labels = torch.from_numpy(digits.labels)[under]
        assert scenes.digits[scene, 0] in labels


def test_the_same_seed_draws_the_same_scenes(scenes: Scenes) -> None:
    maker = SceneMaker("validation")
    again = maker.draw(60, torch.Generator().manual_seed(3))
    other = maker.draw(60, torch.Generator().manual_seed(4))
    assert torch.equal(again.images, scenes.images)
    assert not torch.equal(other.images, scenes.images)
