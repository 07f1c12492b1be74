# SPDX-License-Identifier: Apache-2.0
"""The corner network: its labelling of turned corners, and that every form of it is the same."""

import copy
import math

import pytest
import torch

from stn_perception.stn.blocks import ConvBlock
from stn_perception.stn.corner_heatmaps import (
    CornerHeatmapNetwork,
    labelled_for_heads,
    turn_of_corners,
)
from stn_perception.stn.transforms import corners_from_theta

SQUARE = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])


def turned(degrees: float, corners: torch.Tensor = SQUARE) -> torch.Tensor:
    angle = math.radians(degrees)
    rotation = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    return (corners @ rotation.T).unsqueeze(0)


def random_quads(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    noise = torch.rand((count, 4, 2), generator=generator) - 0.5
    return SQUARE + noise


def small_network() -> CornerHeatmapNetwork:
    torch.manual_seed(0)
    network = CornerHeatmapNetwork(1, 32, (4, 8, 8, 8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    for block in network.modules():
        if isinstance(block, ConvBlock):
            block.normalization.running_mean.uniform_(-0.5, 0.5)
            block.normalization.running_var.uniform_(0.5, 2.0)
    return network.eval()


@pytest.mark.parametrize("degrees", [-170, -91, -44, -1, 0, 10, 46, 89, 135])
def test_turn_is_the_angle_of_a_turned_square(degrees: float) -> None:
    assert math.degrees(turn_of_corners(turned(degrees)).item()) == pytest.approx(
        degrees, abs=1e-3
    )


def test_naming_the_next_corner_first_adds_a_quarter_turn() -> None:
    quads = random_quads(200)
    change = turn_of_corners(quads.roll(-1, dims=1)) - turn_of_corners(quads)
    wrapped = torch.remainder(change, 2 * torch.pi)
    assert torch.allclose(wrapped, torch.full_like(wrapped, torch.pi / 2), atol=1e-4)


def test_heads_see_the_same_order_wherever_the_list_starts() -> None:
    quads = random_quads(200)
    expected, cosine = labelled_for_heads(quads)
    for shift in range(1, 4):
        found, same_cosine = labelled_for_heads(quads.roll(shift, dims=1))
        assert torch.equal(found, expected)
        assert torch.allclose(same_cosine, cosine, atol=1e-4)


def test_each_head_keeps_its_range_of_turns() -> None:
    for degrees in range(-180, 180, 7):
        orders, cosine = labelled_for_heads(turned(degrees))
        turn_a = math.degrees(turn_of_corners(orders[:, 0]).item())
        turn_b = math.degrees(turn_of_corners(orders[:, 1]).item())
        assert -45.001 <= turn_a < 45.001
        assert -0.001 <= turn_b < 90.001
        assert cosine.item() == pytest.approx(math.cos(math.radians(4 * degrees)), abs=1e-4)


def test_no_head_is_torn_where_the_selector_prefers_it() -> None:
    """A small turn must move the preferred head's corners a little, never rename them."""
    for degrees in range(360):
        before, cosine = labelled_for_heads(turned(degrees))
        after, _ = labelled_for_heads(turned(degrees + 1.0))
        head = 0 if cosine.item() > 0 else 1
        moved = (after[0, head] - before[0, head]).norm(dim=1).max().item()
        assert moved < 0.03


def test_folding_changes_nothing_but_rounding() -> None:
    network = small_network()
    folded = copy.deepcopy(network)
    folded.fold()
    crops = torch.rand(5, 1, 32, 32)
    for name, value in network(crops).items():
        assert torch.allclose(folded(crops)[name], value, atol=1e-4), name


def test_scripted_and_exported_programs_say_the_same() -> None:
    network = small_network()
    network.fold()
    scripted = torch.jit.script(network)
    batch = torch.export.Dim("batch", min=1, max=64)
    program = torch.export.export(
        network, (torch.rand(2, 1, 32, 32),), dynamic_shapes={"crops": {0: batch}}
    ).module()
    for count in (1, 3):
        crops = torch.rand(count, 1, 32, 32)
        expected = network(crops)
        for other in (scripted(crops), program(crops)):
            for name, value in expected.items():
                assert torch.allclose(other[name], value, atol=1e-5), name


def test_output_has_the_promised_shapes_and_theta_carries_the_chosen_corners() -> None:
    network = small_network()
    crops = torch.rand(6, 1, 32, 32)
    output = network(crops)
    assert output["theta"].shape == (6, 3, 3)
    assert output["log_variance"].shape == (6, 8)
    assert output["score"].shape == (6,)
    corners, _log_variance, head_a = network.both_heads(crops)
    chosen = torch.where((head_a > 0).reshape(-1, 1, 1), corners[:, 0], corners[:, 1])
    found = corners_from_theta(output["theta"])
    in_front = found.isfinite().all(dim=2).all(dim=1)
    assert torch.allclose(found[in_front], chosen[in_front], atol=1e-3)


def test_brightness_and_contrast_do_not_move_the_corners() -> None:
    network = small_network()
    crops = 0.2 + 0.6 * torch.rand(4, 1, 32, 32)
    expected = network(crops)["theta"]
    assert torch.allclose(network(0.7 * crops + 0.1)["theta"], expected, rtol=0.2, atol=0.1)


def test_an_even_crop_gives_finite_output() -> None:
    output = small_network()(torch.full((2, 1, 32, 32), 0.5))
    assert all(value.isfinite().all() for value in output.values())


def test_gradients_reach_every_weight() -> None:
    network = small_network().train()
    corners, log_variance, head_a = network.both_heads(torch.rand(4, 1, 32, 32))
    (corners.square().sum() + log_variance.square().sum() + head_a.square().sum()).backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_an_odd_input_size_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match=r"multiple of 16 from 32 up, got 50"):
        CornerHeatmapNetwork(1, 50)
