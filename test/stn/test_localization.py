# SPDX-License-Identifier: Apache-2.0
import pytest
import torch
from torch import nn

from stn_perception.stn.families import make_family
from stn_perception.stn.localization import (
    ConvLocalizationNetwork,
    LocalizationNetwork,
    conv_block,
    parameter_groups,
)
from stn_perception.stn.transforms import as_homography


@pytest.mark.parametrize("name", ["translation", "similarity", "affine", "projective"])
def test_trap_12_an_untrained_network_predicts_the_identity(name, device, rng):
    network = ConvLocalizationNetwork(make_family(name)).to(device)
    theta = as_homography(network(torch.rand(4, 3, 40, 50, generator=rng).to(device)))
    assert torch.allclose(theta, torch.eye(3, device=device).expand(4, 3, 3), atol=1e-6)
    assert (network.head.last.weight == 0).all()


def test_trap_12_jitter_is_small_seeded_and_off_by_default(rng):
    def theta(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        network = ConvLocalizationNetwork(make_family("affine"), jitter=0.02, generator=generator)
        return network(torch.zeros(1, 3, 16, 16))

    assert torch.equal(theta(1), theta(1))
    assert not torch.equal(theta(1), theta(2))
    assert 0 < (theta(1) - torch.eye(3)[:2]).abs().max() < 0.1


def test_trap_12_the_zero_layer_still_learns(rng):
    network = ConvLocalizationNetwork(make_family("affine"))
    image = torch.rand(2, 3, 24, 24, generator=rng)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (network(image)[:, 0, 2] - 0.3).square().sum().backward()
        optimizer.step()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


def test_trap_12_localization_gets_the_gentler_rate():
    network = ConvLocalizationNetwork(make_family("affine"))
    model = nn.Sequential(network, nn.Linear(3, 2))
    groups = parameter_groups(model, [network], 1e-2, 1e-3)
    assert [group["lr"] for group in groups] == [1e-2, pytest.approx(1e-5)]
    assert len(groups[0]["params"]) == 2
    assert len(groups[1]["params"]) == len(list(network.parameters()))
    torch.optim.Adam(groups)


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize("size", [(1, 1), (9, 30), (64, 64)])
def test_any_batch_and_any_image_size(batch, size, device, dtype):
    network = ConvLocalizationNetwork(make_family("projective"), channels=1).to(device, dtype)
    theta = network(torch.rand(batch, 1, *size, device=device, dtype=dtype))
    assert theta.shape == (batch, 3, 3) and theta.dtype == dtype


def test_theta_is_float32_under_autocast(device):
    network = ConvLocalizationNetwork(make_family("affine")).to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        assert network(torch.rand(1, 3, 16, 16, device=device)).dtype == torch.float32


def test_a_network_is_built_from_any_features():
    features = nn.Sequential(conv_block(1, 6, stride=1), nn.MaxPool2d(2), conv_block(6, 10))
    network = LocalizationNetwork(features, 10, make_family("similarity"), pooled=2, hidden=8)
    assert network(torch.rand(2, 1, 28, 28)).shape == (2, 2, 3)
