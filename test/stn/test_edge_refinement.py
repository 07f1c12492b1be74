# SPDX-License-Identifier: Apache-2.0
"""Strips along edges, lines through columns, corners where lines meet."""

import numpy as np
import pytest
import torch

from stn_perception.stn.edge_lines import (
    corners_of_ends,
    ends_of_corners,
    fitted_line,
    in_crop_axes,
    projected,
)
from stn_perception.stn.edge_refinement import REACH_ACROSS, EdgeRefiner, strip_grid
from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.stn.transforms import theta_from_corners

SQUARE = torch.tensor([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


def quads(count: int, spread: float = 0.12) -> torch.Tensor:
    """Return quadrilaterals near the view's, count×4×2."""
    generator = torch.Generator().manual_seed(3)
    return SQUARE + spread * torch.randn((count, 4, 2), generator=generator)


def crossing(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Return where the lines ab and cd meet, by homogeneous coordinates."""
    lift = [np.append(p, 1.0) for p in (a, b, c, d)]
    point = np.cross(np.cross(lift[0], lift[1]), np.cross(lift[2], lift[3]))
    return point[:2] / point[2]


def test_ends_and_corners_are_inverse_to_each_other() -> None:
    corners = quads(100)
    assert torch.allclose(corners_of_ends(ends_of_corners(corners)), corners, atol=1e-5)


def test_corners_are_where_neighbouring_edges_meet() -> None:
    generator = torch.Generator().manual_seed(5)
    ends = 0.2 * torch.randn((20, 4, 2), generator=generator)
    found = corners_of_ends(ends).numpy()
    for quad, offsets in zip(found, ends.numpy(), strict=True):
        lines = []
        for edge, (start, end) in enumerate(offsets):
            turn = np.array([(0.0, -1.0), (1.0, 0.0)])
            quarter = np.linalg.matrix_power(turn, edge)
            lines.append([quarter @ (-1.0, -1.0 - start), quarter @ (1.0, -1.0 - end)])
        for corner in range(4):
            expected = crossing(*lines[corner - 1], *lines[corner])
            assert np.allclose(quad[corner], expected, atol=1e-5)


@pytest.mark.parametrize("turn", range(4))
def test_each_strip_shows_outside_above_and_inside_below(turn: int) -> None:
    corners = np.array([(-0.6, -0.5), (0.55, -0.62), (0.66, 0.5), (-0.5, 0.58)])
    corners = np.roll(corners, turn, axis=0)
    size = 128
    y, x = np.meshgrid(*[(np.arange(size) * 2 + 1) / size - 1] * 2, indexing="ij")
    inside = np.ones((size, size), bool)
    for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        inside &= (b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) > 0
    crop = torch.from_numpy(inside.astype(np.float32))[None, None]
    theta = theta_from_corners(torch.from_numpy(corners[None].astype(np.float32)))
    strips = EdgeRefiner().strips(crop, theta)
    assert strips.shape[:2] == (4, 1)
    middle = strips[:, 0, :, 6:-6]
    assert middle[:, :8].max() < 0.05
    assert middle[:, 12:].min() > 0.95


def test_strips_follow_the_view_clockwise_and_their_places_have_gradients() -> None:
    corners = (0.7 * quads(5)).double().requires_grad_()
    along, across = torch.linspace(-1.1, 1.1, 7).double(), torch.linspace(-1.3, -0.7, 5).double()
    found = strip_grid(theta_from_corners(corners), along, across).reshape(5, 4, 5, 7, 2)
    y, x = torch.meshgrid(across, along, indexing="ij")
    places = torch.stack([x, y], dim=2).reshape(1, -1, 2)
    for edge in range(4):
        expected = projected(theta_from_corners(corners), places).reshape(5, 5, 7, 2)
        assert torch.allclose(found[:, edge], expected, atol=1e-12)
        places = torch.stack([-places[:, :, 1], places[:, :, 0]], dim=2)
    assert torch.autograd.gradcheck(
        lambda quad: strip_grid(theta_from_corners(quad), along, across), corners[:1]
    )


def test_an_edge_farther_out_has_a_positive_distance() -> None:
    larger = 1.1 * SQUARE[None]
    assert torch.allclose(ends_of_corners(larger), torch.full((1, 4, 2), 0.1), atol=1e-6)


def test_a_line_is_the_weighted_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    along = np.linspace(-1.05, 1.05, 16)
    distance = 0.1 + 0.05 * along + rng.normal(0, 0.01, 16)
    trust = rng.uniform(0.1, 1, 16)
    trust /= trust.sum()
    ends, residual = fitted_line(
        torch.from_numpy(along), torch.from_numpy(distance)[None], torch.from_numpy(trust)[None]
    )
    slope, level = np.polyfit(along, distance, 1, w=np.sqrt(trust))
    # The slope is drawn to zero a little: by 0.01 against a spread of a third.
    assert np.allclose(ends[0].numpy(), [level - slope, level + slope], atol=3e-3)
    expected = (trust * (distance - level - slope * along) ** 2).sum()
    assert residual.item() == pytest.approx(expected, abs=1e-5)


def test_variances_reach_the_crop_as_a_simulation_says() -> None:
    corners = torch.tensor([[(-0.5, -0.7), (0.6, -0.5), (0.7, 0.6), (-0.8, 0.5)]])
    log_variance = torch.log(
        torch.tensor([[0.01, 0.02], [0.03, 0.01], [0.02, 0.02], [0.01, 0.04]])
    )
    log_variance = 2 * log_variance[None]
    theta = theta_from_corners(corners)
    _, predicted = in_crop_axes(theta, SQUARE[None], log_variance)
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn((40_000, 4, 2), generator=generator) * torch.exp(0.5 * log_variance)
    simulated = projected(theta.expand(40_000, 3, 3), corners_of_ends(noise)).std(dim=0)
    assert torch.allclose(torch.exp(0.5 * predicted[0]), simulated, rtol=0.06)


def test_scripted_folded_and_exported_networks_agree() -> None:
    torch.manual_seed(1)
    network = QuadNetwork(edge_width=24).eval()
    crops = torch.rand(3, 1, 64, 64)
    expected = network(crops)
    exported = torch.export.export(network, (crops,))
    network.fold()
    scripted = torch.jit.script(network)
    for other in (network(crops), scripted(crops), exported.module()(crops)):
        for name, value in expected.items():
            assert torch.allclose(other[name], value, atol=1e-4)


def test_a_strip_reaches_beyond_the_errors_of_the_heat_maps() -> None:
    # The shipped heat maps' 95th percentile is 7 px of a crop whose view has half a side of 51 px.
    assert REACH_ACROSS > 2 * 7 / 51
