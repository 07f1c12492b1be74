# SPDX-License-Identifier: Apache-2.0
"""What the page measures, on pictures and networks whose answer is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry import AxisAlignedBox, OrientedBox
from stn_perception.runtime.archive import ModelArchive, ModelError, save_archive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.training.explain.object_regions import (
    in_object_axes,
    object_axes,
    region_masks,
    region_shares,
)
from stn_perception.training.explain.picture_quality import quality
from stn_perception.training.explain.sensitivity import (
    gradient_maps,
    occlusion,
    rank_agreement,
    spearman,
)
from stn_perception.training.explain.shape_of_quads import folded_angles, r_squared, shape_in_box
from stn_perception.training.explain.what_moves import what_moves

SIZE = 32


class MovedByOneSquare(nn.Module):
    """The view moves right with the brightness of the 4×4 pixels at rows 8-11, columns 20-23."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("theta", torch.tensor([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]]))
        self.register_buffer("move", torch.tensor([[[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        shift = 0.5 * crops[:, 0, 8:12, 20:24].mean(dim=(1, 2))
        return self.theta + shift.reshape(-1, 1, 1) * self.move


class Cut(MovedByOneSquare):
    """The same, cut off from autograd."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return super().forward(crops.detach())


class TurnsWhenDark(nn.Module):
    """The same square; on darker crops its corners are named from the next one on."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("straight", torch.tensor([[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]]))
        self.register_buffer("turned", torch.tensor([[[0.0, -0.5, 0.0], [0.5, 0.0, 0.0]]]))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        dark = (crops.mean(dim=(1, 2, 3)) < 0.0155).float().reshape(-1, 1, 1)
        return self.straight * (1 - dark) + self.turned * dark


CARD = ModelCard(name="tiny", input_width=SIZE, input_height=SIZE, channels=1)


def archive_of(
    network: nn.Module, folder: Path, suffix: str = ".pt", card: ModelCard = CARD
) -> ModelArchive:
    path = folder / f"tiny{suffix}"
    if suffix == ".pt":
        scripted = torch.jit.trace(network, torch.rand(2, 1, SIZE, SIZE))
        save_archive(path, scripted, card)
    else:
        batch = torch.export.Dim("batch", min=1, max=4096)
        program = torch.export.export(
            network, (torch.rand(2, 1, SIZE, SIZE),), dynamic_shapes={"crops": {0: batch}}
        )
        save_archive(path, program, card)
    return ModelArchive.open(path, device="cpu")


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_the_gradient_is_that_of_the_corners_and_nowhere_else(tmp_path: Path, suffix: str) -> None:
    archive = archive_of(MovedByOneSquare(), tmp_path, suffix)
    crops = np.random.default_rng(0).random((3, 1, SIZE, SIZE), dtype=np.float32)
    maps = gradient_maps(archive, crops)
    # Each of the 16 pixels moves all four corners by 0.5 / 16 of the half crop, along x.
    expected = np.zeros((SIZE, SIZE))
    expected[8:12, 20:24] = np.sqrt(4) * 0.5 / 16 * SIZE / 2
    np.testing.assert_allclose(maps, np.stack([expected] * 3), atol=1e-6)


def test_a_network_without_a_gradient_says_so_and_occlusion_stays(tmp_path: Path) -> None:
    archive = archive_of(Cut(), tmp_path)
    crops = np.random.default_rng(0).random((2, 1, SIZE, SIZE), dtype=np.float32)
    with pytest.raises(ModelError, match="gives no gradient"):
        gradient_maps(archive, crops)
    moved = what_moves(archive, list(crops), [0])
    assert "gives no gradient" in moved.why_no_gradient
    assert moved.mean_gradient is None and moved.gradient_shares is None
    assert moved.examples[0].agreement is None
    assert moved.mean_hidden.max() > 0


def test_occlusion_finds_the_square_that_matters_and_agrees(tmp_path: Path) -> None:
    archive = archive_of(MovedByOneSquare(), tmp_path)
    crop = np.zeros((1, SIZE, SIZE), np.float32)
    crop[0, 8:12, 20:24] = 1
    hidden = occlusion(archive, crop, 4)
    y, x = np.unravel_index(hidden.shift_px.argmax(), hidden.shift_px.shape)
    assert 6 <= y <= 13 and 18 <= x <= 25
    # All of it hidden under a blur that leaves at least a part of it: up to 0.5 of the half crop.
    assert 2.0 < hidden.shifts.max() <= 0.5 * SIZE / 2
    assert hidden.shift_px[20:, :16].max() == 0
    gradient = gradient_maps(archive, crop[None])[0]
    assert rank_agreement(gradient, hidden, 4) > 0.6


@pytest.mark.parametrize(("symmetry", "moves"), [(1, True), (2, True), (4, False)])
def test_another_pose_that_looks_alike_is_no_movement(
    tmp_path: Path, symmetry: int, moves: bool
) -> None:
    card = CARD.model_copy(update={"symmetry": symmetry})
    archive = archive_of(TurnsWhenDark(), tmp_path, card=card)
    crop = np.zeros((1, SIZE, SIZE), np.float32)
    crop[0, 8:12, 20:24] = 1
    hidden = occlusion(archive, crop, 8)
    assert bool(hidden.shifts.max() > 1) is moves


def test_regions_of_an_object_are_told_apart_in_its_own_axes() -> None:
    angle = np.radians(30)
    theta = np.eye(3)
    theta[:2, :2] = 0.5 * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    axes = object_axes(theta, 64, 64)
    masks = region_masks(axes)
    assert sum(mask.astype(int) for mask in masks.values()).max() == 1
    shares = region_shares(np.ones((64, 64)), masks)
    assert sum(shares.values()) == pytest.approx(1)
    # Half sides of 16 px: the inside within 0.8 of them, corners of (0.6 to 1.2) twice.
    assert shares["inside"] == pytest.approx((25.6 / 64) ** 2, rel=0.1)
    assert shares["corners"] == pytest.approx(4 * (0.6 * 16 / 64) ** 2, rel=0.1)
    bright = (np.abs(axes).max(axis=-1) < 1).astype(float)
    drawn = in_object_axes(theta, bright, 60, 1.5)
    assert drawn[12:48, 12:48].min() > 0.99 and drawn[:8].max() < 0.01


def test_the_shape_of_a_turned_box_in_its_box() -> None:
    box = AxisAlignedBox(50, 40, 80, 60)
    inner = OrientedBox(54, 37, 40, 20, np.radians(25))
    shape = shape_in_box(inner.corners(), box)
    assert shape.angle_deg == pytest.approx(25)
    assert shape.scale == pytest.approx(np.sqrt(800 / 4800))
    assert shape.aspect == pytest.approx(2)
    np.testing.assert_allclose(shape.centre, [5, -5], atol=1e-9)
    turned = shape_in_box(inner.corners(), OrientedBox(50, 40, 80, 60, np.radians(25)))
    assert turned.angle_deg == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("symmetry", "period"), [(1, 360), (2, 180), (4, 90)])
def test_folded_angles_stay_beside_their_truth(symmetry: int, period: int) -> None:
    true = np.linspace(-179, 179, 50)
    predicted = (true + 3 + 180) % 360 - 180
    found, folded = folded_angles(predicted, true, np.full(50, symmetry))
    np.testing.assert_allclose(found - folded, 3)
    assert np.abs(folded).max() <= period / 2


def test_r_squared_is_one_zero_or_unknown() -> None:
    true = np.array([1.0, 2, 3, 4])
    assert r_squared(true, true) == 1
    assert r_squared(np.full(4, 2.5), true) == pytest.approx(0)
    assert np.isnan(r_squared(true, np.full(4, 7.0)))


def test_rank_correlation_shares_ranks_of_equal_values() -> None:
    assert spearman(np.array([1.0, 2, 3]), np.array([10.0, 20, 90])) == pytest.approx(1)
    assert spearman(np.array([1.0, 1, 2, 2]), np.array([5.0, 5, 9, 9])) == pytest.approx(1)
    assert np.isnan(spearman(np.ones(3), np.arange(3.0)))


@pytest.mark.parametrize(("sigma_px", "step"), [(1.0, 100), (2.5, 60)])
def test_contrast_and_blur_along_an_outline_are_measured(sigma_px: float, step: int) -> None:
    quad = np.array([(39.5, 39.5), (159.5, 39.5), (159.5, 159.5), (39.5, 159.5)])
    picture = np.full((200, 200), 80, np.float32)
    picture[40:160, 40:160] += step
    gray = np.rint(cv2.GaussianBlur(picture, (0, 0), sigma_px)).astype(np.uint8)
    found = quality(gray, quad)
    assert found.contrast == pytest.approx(step, rel=0.05)
    assert found.blur_px == pytest.approx(np.sqrt(2 * np.pi) * sigma_px, rel=0.15)
    assert found.foreshortening == pytest.approx(1)
