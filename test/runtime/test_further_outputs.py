# SPDX-License-Identifier: Apache-2.0
"""What a network says beside its transform: variances, a score, a class."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.messages.outcomes import DropReason

from .predicting import MakeArchive, predict, region


class Everything(nn.Module):
    """A projective transform with variances, a score and a class."""

    def __init__(self, sigma: float = 0.02, score: float = 0.9) -> None:
        super().__init__()
        self.sigma = sigma
        self.score = score

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        theta = torch.tensor([[0.6, -0.1, 0.05], [0.1, 0.7, -0.02], [0.1, -0.05, 1.0]])
        growing = torch.linspace(1.0, 2.0, 8) * self.sigma
        return {
            "theta": theta.unsqueeze(0).repeat(count, 1, 1),
            "log_variance": (2.0 * torch.log(growing)).unsqueeze(0).repeat(count, 1),
            "score": torch.full([count], self.score),
            "class_logits": torch.tensor([[0.0, 2.0, 1.0]]).repeat(count, 1),
        }


@pytest.mark.parametrize("steps", [0, 1])
def test_corner_variances_arrive_in_the_frame(make_archive: MakeArchive, steps: int) -> None:
    """Monte Carlo: disturb the corners in the crop the network saw, watch them in the frame."""
    archive = make_archive(
        Everything(), refinement_steps=steps, refinement_margin=1.4, class_names=("a", "b", "c")
    )
    prediction = predict(archive, [region(150, 120, 100, 80)])
    (estimate,) = prediction.estimates
    assert estimate.corner_covariance is not None
    theta = np.array([[0.6, -0.1, 0.05], [0.1, 0.7, -0.02], [0.1, -0.05, 1.0]])
    frame_from_normalized = np.array([[50.0, 0, 150], [0, 40, 120], [0, 0, 1]])
    if steps:
        frame_from_normalized = frame_from_normalized @ theta @ np.diag([1.4, 1.4, 1])
    corners = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1.0]]) @ theta.T
    corners = corners[:, :2] / corners[:, 2:]
    rng = np.random.default_rng(0)
    small = 0.1  # the propagation is of first order
    deviations = np.linspace(1, 2, 8).reshape(4, 2) * 0.02 * small
    samples = corners + rng.normal(size=(20_000, 4, 2)) * deviations
    homogeneous = np.concatenate([samples, np.ones((*samples.shape[:2], 1))], axis=2)
    mapped = homogeneous @ frame_from_normalized.T
    in_frame = (mapped[..., :2] / mapped[..., 2:]).reshape(-1, 8)
    expected = np.cov(in_frame.T) / small**2
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((estimate.corner_covariance - expected) / scale).max() < 0.05


def test_the_networks_class_comes_before_the_detections(make_archive: MakeArchive) -> None:
    archive = make_archive(Everything(), class_names=("a", "b", "c"))
    (estimate,) = predict(archive, [region(150, 120, 100, 80)]).estimates
    assert estimate.class_id == "b"
    assert estimate.score == pytest.approx(np.exp(2) / (1 + np.exp(2) + np.exp(1)), rel=1e-6)


def test_uncertain_views_are_dropped_when_a_limit_is_set(make_archive: MakeArchive) -> None:
    box = [region(150, 120, 100, 80)]
    unsure = make_archive(Everything(sigma=0.3))
    assert predict(unsure, box).estimates
    limited = predict(unsure, box, max_corner_sigma=0.1)
    assert [drop.reason for drop in limited.dropped] == [DropReason.UNCERTAIN]
    low = predict(make_archive(Everything(score=0.2)), box, min_score=0.5)
    assert [drop.reason for drop in low.dropped] == [DropReason.UNCERTAIN]
