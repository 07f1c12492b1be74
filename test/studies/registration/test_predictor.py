# SPDX-License-Identifier: Apache-2.0
"""The predictor speaks the family's numbers, and learns from how alike pictures look alone."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stn_perception.stn import SimilarityFamily, sample, sampling_grid
from stn_perception.studies.registration import predictor_lesson
from stn_perception.studies.registration.levels import pair_levels
from stn_perception.studies.registration.predictor import (
    GUESSES,
    LOOK_FACTOR,
    StartPredictor,
    predicted_starts,
    similarity_raw,
)


def picture() -> NDArray[np.float64]:
    generator = np.random.default_rng(2)
    rows, columns = np.indices((96, 96))
    blobs = np.zeros((96, 96))
    for _ in range(40):
        y, x = generator.uniform(20, 76, 2)
        blobs += generator.uniform(20, 90) * np.exp(
            -((rows - y) ** 2 + (columns - x) ** 2) / (2 * generator.uniform(3, 8) ** 2)
        )
    return np.clip(blobs, 0, 255)


def test_the_family_gives_back_the_numbers_that_were_asked_for() -> None:
    shift = torch.tensor([[0.2, -0.3], [0.0, 0.1]])
    angle_rad, log_scale = torch.tensor([2.0, -1.0]), torch.tensor([0.3, -0.2])
    theta = SimilarityFamily()(similarity_raw(shift, angle_rad, log_scale))
    torch.testing.assert_close(theta[:, :, 2], shift)
    torch.testing.assert_close(torch.atan2(theta[:, 1, 0], theta[:, 0, 0]), angle_rad)
    torch.testing.assert_close(theta[:, :, 0].norm(dim=1).log(), log_scale)


def test_turns_beyond_half_a_turn_are_those_the_other_way_round() -> None:
    raw = similarity_raw(torch.zeros(1, 2), torch.tensor([math.radians(200)]), torch.zeros(1))
    theta = SimilarityFamily()(raw)
    angle_rad = torch.atan2(theta[0, 1, 0], theta[0, 0, 0]).item()
    assert angle_rad == pytest.approx(math.radians(-160), abs=1e-5)


def test_a_fresh_predictor_guesses_a_turn_in_every_direction() -> None:
    torch.manual_seed(0)
    guesses, logits = StartPredictor()(torch.randn(1, 2, 66, 66))
    theta = SimilarityFamily()(guesses[0])
    turns = torch.atan2(theta[:, 1, 0], theta[:, 0, 0]).sort().values.detach()
    assert logits.shape == (1, GUESSES)
    assert float(turns.diff().max()) < 2 * 2 * math.pi / GUESSES


def test_the_first_start_is_the_likeliest_guess() -> None:
    network = StartPredictor().eval()
    level = pair_levels(picture(), picture(), 0.5, (LOOK_FACTOR,))[0]
    with torch.no_grad():
        network.last.weight.zero_()
        network.last.bias.zero_()
        network.last.bias[5 * 3] = 4.0
        network.last.bias[5 * 7] = 2.0
    theta = SimilarityFamily()(predicted_starts(network, level, 2))
    turns = torch.rad2deg(torch.atan2(theta[:, 1, 0], theta[:, 0, 0]))
    torch.testing.assert_close(turns, torch.tensor([90.0, -150.0]).double(), atol=1e-3, rtol=0)


def test_made_pairs_look_alike_under_the_turn_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (level,) = pair_levels(picture(), picture(), 0.0, (1,))
    monkeypatch.setattr(predictor_lesson, "_slice", lambda: level.view.float())
    monkeypatch.setattr(predictor_lesson, "_OWN_SHIFT", 1e-4)
    monkeypatch.setattr(predictor_lesson, "_SHIFT", 1e-4)
    monkeypatch.setattr(predictor_lesson, "_OWN_LOG_SCALE", 1e-4)
    monkeypatch.setattr(predictor_lesson, "_LOG_SCALE", 1e-4)
    pairs, angle_rad = predictor_lesson._pairs(4, torch.Generator().manual_seed(0))
    theta = SimilarityFamily()(similarity_raw(torch.zeros(4, 2), angle_rad, torch.zeros(4)))
    side = pairs.size(2)
    grid = sampling_grid(theta, side, side, side, side)
    seen = sample(pairs[:, 1:], grid, padding="border")
    for found, wanted in zip(seen, pairs[:, :1], strict=True):
        assert np.corrcoef(found.flatten(), wanted.flatten())[0, 1] > 0.98
