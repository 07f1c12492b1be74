# SPDX-License-Identifier: Apache-2.0
"""A scene shows its object where the truth says, and scraps that hide nothing brighter."""

import torch

from stn_perception.stn import corners_from_theta, homography_grid, sample
from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.localize.clothes import ClothesScenes

GENERATOR_SEED = 5


def test_the_view_of_the_truth_is_the_object_as_it_came() -> None:
    scenes = ClothesScenes().draw("validation", 40, torch.Generator().manual_seed(GENERATOR_SEED))
    clothes = upright_digits("validation", "fashion-mnist")
    images, labels = clothes.draw(40, torch.Generator().manual_seed(GENERATOR_SEED))
    assert torch.equal(scenes.labels, labels)
    views = sample(scenes.images, homography_grid(scenes.truth, 28, 28, 84, 84), mip_levels=1)
    # Scraps brighten a view and never darken it; resampling blurs a little.
    missing = torch.relu(images.unsqueeze(1).float() / 255 - views)
    turned = torch.relu(images.flip(2).unsqueeze(1).float() / 255 - views)
    assert float(missing.mean()) < 0.4 * float(turned.mean())


def test_objects_fit_and_have_many_sizes() -> None:
    truth = ClothesScenes().fixed("validation", 300).truth
    assert float(corners_from_theta(truth).abs().max()) <= 1 + 1e-6
    sides_px = truth[:, 0, 0] * 84
    assert float(sides_px.min()) > 21.9 and float(sides_px.max()) < 50.1
    assert float(sides_px.std()) > 6


def test_scraps_lie_about() -> None:
    scenes = ClothesScenes().fixed("validation", 300)
    start, end = corners_from_theta(scenes.truth)[:, 0], corners_from_theta(scenes.truth)[:, 2]
    axis = (2 * torch.arange(84) + 1) / 84 - 1
    within = [(axis >= start[:, i : i + 1]) & (axis <= end[:, i : i + 1]) for i in range(2)]
    inside = within[1].unsqueeze(2) & within[0].unsqueeze(1)
    outside = scenes.images[:, 0].masked_fill(inside, 0)
    share = (outside > 0.1).float().sum(dim=(1, 2)) / (~inside).float().sum(dim=(1, 2))
    assert 0.03 < float(share.mean()) < 0.25
