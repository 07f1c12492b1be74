# SPDX-License-Identifier: Apache-2.0
"""The oriented box network: what it returns, and that half a turn changes nothing."""

import copy

import numpy as np
import pytest
import torch

from stn_perception.stn.oriented_box import OrientedBoxNetwork, _half_angle
from stn_perception.training.batch import Batch, batch_of
from stn_perception.training.crops import CropSettings
from stn_perception.training.tabletop.crops import random_batch
from stn_perception.training.tabletop.loss import axis_error, box_loss, nearest_turn
from stn_perception.training.tabletop.pool import ScenePool


@pytest.fixture
def network() -> OrientedBoxNetwork:
    torch.manual_seed(1)
    network = OrientedBoxNetwork(1, 32, (8, 8, 12, 16))
    for parameter in network.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.05)
    return network


def batch(pool: ScenePool) -> Batch:
    rng = np.random.default_rng(2)
    cut = random_batch(rng, pool, rng.integers(0, len(pool), 32), CropSettings(), 32)
    return batch_of(
        torch.from_numpy(cut.crops),
        corners=torch.from_numpy(cut.corners),
        extra={
            "outline": torch.from_numpy(cut.outlines),
            "aspect": torch.from_numpy(cut.aspects),
        },
    )


def test_views_are_affine_and_not_mirrored(network: OrientedBoxNetwork) -> None:
    output = network.eval()(torch.rand(9, 1, 32, 32))
    theta = output["theta"]
    assert theta.shape == (9, 3, 3)
    assert torch.equal(theta[:, 2], torch.tensor([0.0, 0.0, 1.0]).expand(9, 3))
    assert (torch.linalg.det(theta) > 0).all()
    assert output["log_variance"].shape == (9, 8)
    assert ((output["score"] > 0) & (output["score"] < 1)).all()
    corners, _, _ = network.box(torch.rand(9, 1, 32, 32))
    assert corners.shape == (9, 4, 2)


def test_scripting_and_folding_change_nothing(network: OrientedBoxNetwork) -> None:
    crops = torch.rand(5, 1, 32, 32)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    network.eval()
    folded = copy.deepcopy(network)
    folded.fold()
    scripted = torch.jit.script(folded)
    for name, value in network(crops).items():
        assert torch.allclose(scripted(crops)[name], value, atol=1e-4)


def test_doubled_angles_have_no_tear() -> None:
    angles = torch.linspace(-np.pi, np.pi, 721)
    doubled = torch.stack([torch.cos(2 * angles), torch.sin(2 * angles)], dim=1)
    sides = _half_angle(doubled)
    along = torch.stack([torch.cos(angles), torch.sin(angles)], dim=1)
    # The same line, whichever way it points.
    assert torch.allclose((sides * along).sum(dim=1).abs(), torch.ones(721), atol=1e-5)
    assert (sides[:, 0] > -1e-6).all()


def test_the_loss_knows_no_front(network: OrientedBoxNetwork, pasted_pool: ScenePool) -> None:
    given = batch(pasted_pool)
    turned = given._replace(corners=given.corners.roll(2, dims=1))
    network.eval()
    with torch.no_grad():
        first, second = box_loss(network, given), box_loss(network, turned)
    assert torch.isclose(first.loss, second.loss, rtol=1e-5)
    quarter = given._replace(corners=given.corners.roll(1, dims=1))
    with torch.no_grad():
        assert not torch.isclose(first.loss, box_loss(network, quarter).loss, rtol=1e-3)


def test_the_nearest_turn_is_one_of_the_truths() -> None:
    sides = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    truth = sides.expand(6, 4, 2) @ (torch.eye(2) + 0.3 * torch.rand(6, 2, 2))
    for shift in (0, 2):
        assert torch.equal(nearest_turn(truth.roll(shift, dims=1), truth), truth.roll(shift, 1))
    assert torch.equal(nearest_turn(truth.roll(1, 1), truth, quarters=True), truth.roll(1, 1))
    assert axis_error(truth.roll(2, dims=1), truth).abs().max() < 1e-5


def test_crops_label_what_they_show() -> None:
    rng = np.random.default_rng(5)
    picture = np.full((256, 256), 20, np.uint8)
    import cv2

    outline = np.array([(90.0, 100.0), (170.0, 120.0), (165.0, 140.0), (85.0, 120.0)])
    cv2.fillConvexPoly(picture, np.round(outline * 16).astype(np.int32), 230, cv2.LINE_AA, 4)
    pool = ScenePool(
        pictures=picture[None],
        scene=np.zeros(1, np.int32),
        outlines=outline.astype(np.float32),
        seen=outline.astype(np.float32),
        outline_ends=np.array([0, 4]),
        seen_ends=np.array([0, 4]),
    )
    from stn_perception.training.tabletop.crops import random_crop

    for _ in range(40):
        settings = CropSettings(noise_low=0.02, noise_high=0.1)
        crop, corners, own, aspect, _ = random_crop(rng, pool, 0, settings, 64)
        mask = np.zeros((64, 64), np.uint8)
        pixels = ((own + 1) * 64 - 1) / 2
        cv2.fillConvexPoly(mask, np.round(pixels * 16).astype(np.int32), 1, cv2.LINE_8, 4)
        shown = crop > 125
        assert (shown & (mask > 0)).sum() / (shown | (mask > 0)).sum() > 0.85
        edges = np.roll(corners, -1, axis=0) - corners
        following = np.roll(edges, -1, axis=0)
        assert (edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0] > 0).all()
        assert aspect > 3
        # The box's corners hold the outline, whatever the crop's stretch.
        frame = np.column_stack([corners[1] - corners[0], corners[3] - corners[0]])
        inside = np.linalg.solve(frame, (own - corners[0]).T)
        assert inside.min() > -0.01
        assert inside.max() < 1.01
