# SPDX-License-Identifier: Apache-2.0
import itertools

import pytest
import torch
from torch import nn

from stn_perception.stn.compose import compose
from stn_perception.stn.families import make_family
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.localization import ConvLocalizationNetwork
from stn_perception.stn.sampler import sample
from stn_perception.stn.several_transformers import (
    ParallelSpatialTransformers,
    SerialSpatialTransformers,
    ring_of_starts,
)
from stn_perception.stn.spatial_transformer import SpatialTransformer


def network(start=(0.0, 0.0), seed: int = 0) -> ConvLocalizationNetwork:
    torch.manual_seed(seed)
    built = ConvLocalizationNetwork(make_family("affine"), widths=(4, 8), start=start)
    nn.init.normal_(built.head.last.weight, std=0.05)
    return built


def plain(start) -> ConvLocalizationNetwork:
    return ConvLocalizationNetwork(make_family("affine"), widths=(4, 8), start=start)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_trap_12_parallel_transformers_do_not_start_equal(count, device, rng):
    module = ParallelSpatialTransformers.spread_out(count, plain, (12, 14)).to(device)
    image = torch.rand(2, 3, 30, 30, generator=rng).to(device)
    assert module(image).shape == (2, count, 3, 12, 14)
    thetas = [t.canonicalize(image).theta for t in module.transformers]
    for one, other in itertools.combinations(thetas, 2):
        assert (one - other).abs().max() > 0.1


def test_a_single_view_starts_at_the_centre():
    assert ring_of_starts(1) == [(0.0, 0.0)]
    assert len({*ring_of_starts(8)}) == 8


def test_parallel_views_are_the_transformers_own(rng):
    members = [SpatialTransformer(network(seed=seed), (9, 9)) for seed in range(3)]
    image = torch.rand(2, 3, 20, 20, generator=rng)
    views = ParallelSpatialTransformers(members)(image)
    for index, member in enumerate(members):
        assert torch.equal(views[:, index], member(image))


def test_a_series_composes_and_samples_the_original_once(rng):
    members = [
        SpatialTransformer(network(seed=seed), (16, 18), padding="border") for seed in (1, 2)
    ]
    image = torch.rand(2, 3, 40, 44, generator=rng)
    views = SerialSpatialTransformers(members)(image)
    theta = members[0].canonicalize(image).theta
    seen = sample(image, homography_grid(theta, 16, 18, 40, 44), padding="border", mip_levels=4)
    theta = compose(theta, members[1].localization(seen))
    expected = sample(image, homography_grid(theta, 16, 18, 40, 44), "bilinear", "border", 4)
    assert torch.allclose(views, expected, atol=1e-5)


def test_a_series_of_one_is_that_one(rng):
    member = SpatialTransformer(network(), (16, 18))
    image = torch.rand(2, 3, 40, 44, generator=rng)
    assert torch.equal(SerialSpatialTransformers([member])(image), member(image))


def test_transformers_of_feature_maps_stack_in_a_plain_sequence(rng):
    module = nn.Sequential(
        SpatialTransformer(network(), (20, 20)),
        nn.Conv2d(3, 6, 3),
        SpatialTransformer(ConvLocalizationNetwork(make_family("similarity"), 6), (10, 10)),
    )
    assert module(torch.rand(2, 3, 24, 24, generator=rng)).shape == (2, 6, 10, 10)


@pytest.mark.parametrize("kind", [ParallelSpatialTransformers, SerialSpatialTransformers])
def test_they_script_and_export(kind, rng):
    members = [SpatialTransformer(network(seed=s), (12, 12), mip_levels=1) for s in range(2)]
    module = kind(members).eval()
    image = torch.rand(3, 3, 24, 30, generator=rng)
    expected = module(image)
    assert torch.allclose(torch.jit.script(module)(image), expected, atol=1e-6)
    program = torch.export.export(
        module, (image,), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    for batch in (0, 1, 3):
        found = program.module()(image[:batch])
        assert torch.allclose(found, expected[:batch], atol=1e-5)


def test_impossible_sets_are_refused():
    with pytest.raises(ValueError, match="one output size"):
        ParallelSpatialTransformers([])
    with pytest.raises(ValueError, match=r"\(8, 8\), \(9, 9\)"):
        ParallelSpatialTransformers([SpatialTransformer(network(), (n, n)) for n in (8, 9)])
    with pytest.raises(ValueError, match="got none"):
        SerialSpatialTransformers([])
