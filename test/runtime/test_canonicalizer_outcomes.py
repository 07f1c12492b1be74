# SPDX-License-Identifier: Apache-2.0
"""Every box has an outcome, and a bad one does not take others with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import RejectedRegion
from stn_perception.runtime.frame import Frame

from .predicting import IDENTITY, MakeArchive, predict, region


def test_bad_boxes_have_reasons_and_the_good_one_survives(make_archive: MakeArchive) -> None:
    nan = float("nan")
    boxes = [
        (region(nan, 80, 60, 40), DropReason.NOT_FINITE),
        (region(100, 80, float("inf"), 40), DropReason.NOT_FINITE),
        (region(100, 80, 0, 40), DropReason.ZERO_AREA),
        (region(100, 80, 60, -1), DropReason.ZERO_AREA),
        (region(-200, 80, 60, 40), DropReason.OUTSIDE_FRAME),
        (RejectedRegion(5, "x", DropReason.ZERO_AREA, "no area"), DropReason.ZERO_AREA),
        (region(100, 80, 60, 40, id="good"), None),
        (region(1e9, 1e9, 60, 40), DropReason.OUTSIDE_FRAME),
    ]
    prediction = predict(make_archive(IDENTITY), [box for box, _ in boxes])
    assert [e.region.id for e in prediction.estimates] == ["good"]
    expected = [(i, reason) for i, (_, reason) in enumerate(boxes) if reason is not None]
    assert [(drop.index, drop.reason) for drop in prediction.dropped] == expected
    assert prediction.dropped[5].id == "x"
    assert all(drop.detail for drop in prediction.dropped)


def test_ten_thousand_boxes_are_limited_and_counted(make_archive: MakeArchive) -> None:
    boxes = [region(100, 80, 60, 40)] * 10_000
    prediction = predict(make_archive(IDENTITY), boxes, max_boxes=16)
    assert len(prediction.estimates) == 16
    assert len(prediction.dropped) == 10_000 - 16
    assert {drop.reason for drop in prediction.dropped} == {DropReason.TOO_MANY_BOXES}


@pytest.mark.parametrize(
    ("theta", "reason"),
    [
        ([[-1.0, 0, 0], [0, 1, 0], [0, 0, 1]], DropReason.INVALID_TRANSFORM),  # mirrored
        ([[1.0, 0, 0], [0, 1, 0], [2, 0, 1]], DropReason.INVALID_TRANSFORM),  # folded
        ([[1.0, 0, 0], [1, 0, 0], [0, 0, 1]], DropReason.INVALID_TRANSFORM),  # singular
        ([[1e-3, 0, 0], [0, 1e-3, 0], [0, 0, 1]], DropReason.ESCAPED),  # collapsed
        ([[1.0, 0, 20], [0, 1, 0], [0, 0, 1]], DropReason.ESCAPED),  # beside the frame
        ([[90.0, 0, 0], [0, 90, 0], [0, 0, 1]], DropReason.ESCAPED),  # far too large
    ],
)
def test_bad_transforms_are_reported_and_never_handed_on(
    make_archive: MakeArchive, theta: list[list[float]], reason: DropReason
) -> None:
    for steps in (0, 1):
        archive = make_archive(theta, family="projective")
        prediction = predict(archive, [region(100, 80, 60, 40)], refinement_steps=steps)
        assert not prediction.estimates
        assert [drop.reason for drop in prediction.dropped] == [reason]


class NanWhereDark(nn.Module):
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        theta = torch.zeros(crops.shape[0], 2, 3)
        theta[:, 0, 0] = 1.0
        theta[:, 1, 1] = 1.0
        level = crops.mean(dim=(1, 2, 3))
        theta[level < 0.01] = float("nan")
        return theta


def test_one_bad_crop_does_not_take_the_batch_with_it(make_archive: MakeArchive) -> None:
    pixels = np.full((240, 320), 200, dtype=np.uint8)
    pixels[:, :100] = 0
    boxes = [region(200, 100, 40, 40), region(50, 100, 40, 40), region(260, 100, 40, 40)]
    prediction = predict(make_archive(NanWhereDark()), boxes, Frame(pixels, "gray"))
    assert [estimate.index for estimate in prediction.estimates] == [0, 2]
    assert [(d.index, d.reason) for d in prediction.dropped] == [(1, DropReason.NOT_FINITE)]


class FailsOnMany(nn.Module):
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        if crops.shape[0] > 2:
            raise RuntimeError("more than two crops")
        return torch.eye(3).unsqueeze(0).repeat(crops.shape[0], 1, 1)


def test_a_failing_network_is_an_outcome_too(make_archive: MakeArchive) -> None:
    prediction = predict(make_archive(FailsOnMany()), [region(100, 80, 60, 40)] * 3)
    assert [drop.reason for drop in prediction.dropped] == [DropReason.MODEL_ERROR] * 3
    assert "more than two crops" in prediction.dropped[0].detail
