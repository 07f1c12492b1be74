# SPDX-License-Identifier: Apache-2.0
"""How the edge refiner learns."""

import math

import torch

from stn_perception.stn.edge_lines import projected
from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.stn.transforms import theta_from_corners
from stn_perception.training.batch import batch_of
from stn_perception.training.strategies.corner_order import nearest_order
from stn_perception.training.strategies.supervised_edges import SupervisedEdges, _inverted

SQUARE = torch.tensor([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def quads(count: int) -> torch.Tensor:
    """Return quadrilaterals near the view's, count×4×2."""
    generator = torch.Generator().manual_seed(3)
    return SQUARE + 0.12 * torch.randn((count, 4, 2), generator=generator)


def test_the_inverse_homography_undoes_the_homography() -> None:
    corners = 0.6 * quads(50)
    back = projected(_inverted(theta_from_corners(corners)), corners)
    assert torch.allclose(back, SQUARE.expand(50, 4, 2), atol=1e-4)


def test_the_truth_starts_where_the_prediction_starts() -> None:
    truth = quads(10)
    for shift in range(4):
        ordered, distance = nearest_order(truth + 0.01, truth.roll(shift, dims=1))
        assert torch.equal(ordered, truth)
        assert torch.allclose(distance, torch.full((10,), 0.01 * math.sqrt(2)), atol=1e-5)


def test_only_the_refiner_learns() -> None:
    torch.manual_seed(0)
    network = QuadNetwork(edge_width=16)
    network.train()
    # Heat maps that always answer with one square: the untrained ones answer with a point.
    network.coarse = lambda crops: 0.75 * SQUARE.expand(len(crops), 4, 2)  # type: ignore[method-assign]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    crops = torch.rand(8, 1, 64, 64)
    result = SupervisedEdges().step(
        network, batch_of(crops, corners=0.8 * SQUARE.expand(8, 4, 2).clone())
    )
    result.loss.backward()
    torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1).step()
    changed = {n for n, value in network.state_dict().items() if not torch.equal(value, before[n])}
    assert changed
    assert all(name.startswith("edges.") for name in changed)


def test_frozen_heat_maps_never_move_even_where_no_mode_is_set() -> None:
    torch.manual_seed(0)
    network = QuadNetwork(edge_width=16)
    before = {name: value.clone() for name, value in network.heatmaps.state_dict().items()}
    network.coarse(torch.rand(4, 1, 64, 64))
    network.train()
    network.coarse(torch.rand(4, 1, 64, 64))
    after = network.heatmaps.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
