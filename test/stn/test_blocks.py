# SPDX-License-Identifier: Apache-2.0
"""What all localization networks begin with and are built of."""

import copy

import pytest
import torch

from stn_perception.stn.blocks import ConvBlock, fold_blocks, unit_contrast
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork
from stn_perception.stn.oriented_box import OrientedBoxNetwork


@pytest.mark.parametrize("channels", [1, 3])
def test_each_crop_has_zero_mean_and_nearly_unit_contrast(channels: int) -> None:
    crops = torch.rand(4, channels, 32, 32) * torch.tensor([0.1, 0.4, 0.7, 1.0]).reshape(
        4, 1, 1, 1
    )
    seen = unit_contrast(crops)
    assert torch.allclose(seen.mean(dim=[1, 2, 3]), torch.zeros(4), atol=1e-5)
    contrast = crops.std(dim=[1, 2, 3], correction=0)
    expected = contrast / (contrast + 0.02)
    assert torch.allclose(seen.std(dim=[1, 2, 3], correction=0), expected, atol=1e-4)


def test_an_even_crop_stays_even() -> None:
    assert unit_contrast(torch.full((2, 1, 16, 16), 0.7)).abs().max() < 1e-4


def test_a_gain_and_an_offset_hardly_show() -> None:
    crops = torch.rand(4, 1, 32, 32)
    assert torch.allclose(unit_contrast(0.8 * crops + 0.1), unit_contrast(crops), atol=0.05)


def test_folding_keeps_what_a_block_says_and_leaves_no_normalisation() -> None:
    torch.manual_seed(0)
    block = torch.nn.Sequential(ConvBlock(3, 8, stride=2), ConvBlock(8, 8)).eval()
    for module in block.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2.0)
    folded = copy.deepcopy(block)
    fold_blocks(folded)
    x = torch.rand(2, 3, 16, 16)
    assert torch.allclose(folded(x), block(x), atol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())


def test_both_networks_of_maps_start_from_the_same_trunk() -> None:
    torch.manual_seed(3)
    corners = CornerHeatmapNetwork(1, 32, (4, 8, 8, 8)).state_dict()
    torch.manual_seed(3)
    boxes = OrientedBoxNetwork(1, 32, (4, 8, 8, 8)).state_dict()
    trunk = [name for name in corners if name.startswith(("stem", "sixteenth", "quarter_merged"))]
    assert len(trunk) > 10
    assert all(torch.equal(corners[name], boxes[name]) for name in trunk)
