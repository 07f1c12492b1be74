# SPDX-License-Identifier: Apache-2.0
"""What becomes of a box does not depend on the boxes beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.box_rows import box_rows
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.homography import InvalidTransformError, homography_from_corners
from stn_perception.geometry.pixels import view_corners
from stn_perception.geometry.views import seen_views
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.box_check import box_refusals
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.view_check import ViewRefused, check_views
from stn_perception.runtime.view_coverage import valid_fraction, valid_fractions

SIZE = (64, 48)
FRAME = Frame(np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8), "gray")


def random_transforms(count: int, seed: int) -> np.ndarray:
    """Views in and around frames of about 200 pixels; some are no views at all."""
    rng = np.random.default_rng(seed)
    transforms = []
    for number in range(count):
        size = rng.uniform(1, 120)
        square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size * rng.uniform(0.3, 1, 2)
        cos, sin = np.cos(angle := rng.uniform(-4, 4)), np.sin(angle)
        quad = square @ [[cos, sin], [-sin, cos]] + rng.uniform(-60, 260, 2)
        try:
            transform = homography_from_corners(
                quad + rng.normal(size=(4, 2)) * size * 0.2, view_corners(*SIZE)
            )
        except InvalidTransformError:
            transform = np.zeros((3, 3))
        odd = {
            0: transform * np.nan,
            1: np.diag([0.0, 0, 1]),
            2: np.diag([1, -1, 1.0]) @ transform,
            3: transform @ np.diag([1e-3, 1e-3, 1]),
            4: rng.normal(size=(3, 3)),
            5: np.array([[0.0, 0, 50], [1, 0, 0], [0, 0, 1]]),
            6: np.array([[1e-9, 0, 1e9], [0, 1, 0], [0, 0, 1]]),
        }
        transforms.append(odd.get(number % 40, transform * rng.choice([-1, 1])))
    return np.array(transforms)


def test_the_visible_share_of_many_views_is_that_of_each() -> None:
    transforms = random_transforms(600, 1)
    frames = np.random.default_rng(2).integers(50, 250, (600, 2)).astype(float)
    seen = seen_views(transforms, *SIZE)
    kept = [place for place in range(600) if place not in seen.faults]
    shares = valid_fractions(seen.frame_from_view[kept], seen.corners[kept], *SIZE, frames[kept])
    expected = [
        valid_fraction(seen.frame_from_view[place], *SIZE, *frames[place].astype(int))
        for place in kept
    ]
    np.testing.assert_allclose(shares, expected, atol=1e-9)
    assert np.mean((shares > 0) & (shares < 1)) > 0.3
    assert np.mean(shares == 1) > 0.05


def check_view(transform: np.ndarray, frame_size: tuple[int, int], share: float) -> np.ndarray:
    """One view by itself; raises what it is refused for."""
    checked = check_views(transform[None], SIZE, np.array([frame_size]), share)
    for refusal in checked.refusals.values():
        raise refusal
    return checked.frame_from_view[0]


def test_views_are_refused_for_their_own_reasons_alone() -> None:
    transforms = random_transforms(400, 3)
    frames = np.random.default_rng(4).integers(50, 250, (400, 2)).astype(float)
    checked = check_views(transforms, SIZE, frames, 0.2)
    reasons: set[str] = set()
    for place, transform in enumerate(transforms):
        width, height = frames[place].astype(int)
        if place not in checked.refusals:
            alone = check_view(transform, (width, height), 0.2)
            np.testing.assert_array_equal(alone, checked.frame_from_view[place])
            continue
        refusal = checked.refusals[place]
        with pytest.raises(ViewRefused) as caught:
            check_view(transform, (width, height), 0.2)
        assert (caught.value.reason, str(caught.value)) == (refusal.reason, str(refusal))
        reasons |= set(str(refusal).split()) & {"holds", "folds", "mirrors", "is", "has"}
    assert len(checked.refusals) < 350
    assert reasons >= {"holds", "folds", "mirrors", "is", "has"}


def test_boxes_are_refused_for_their_own_reasons_alone() -> None:
    boxes = [
        AxisAlignedBox(50.0, 50.0, 20.0, 20.0),
        AxisAlignedBox(float("nan"), 50.0, 20.0, 20.0),
        AxisAlignedBox(50.0, 50.0, 0.0, 20.0),
        AxisAlignedBox(50.0, 50.0, 20.0, -1.0),
        AxisAlignedBox(-500.0, 50.0, 20.0, 20.0),
        OrientedBox(-5.0, -5.0, 30.0, 8.0, 0.8),
        OrientedBox(-9.0, -9.0, 40.0, 4.0, -0.8),
        AxisAlignedBox(1e6, 50.0, 1e-3, 1e-3),
        AxisAlignedBox(0.0, 0.0, 1e6, 1e6),
    ]
    sizes = np.broadcast_to([100.0, 100.0], (len(boxes), 2))
    refusals = box_refusals(boxes, box_rows(boxes), sizes)
    assert {place: refusal.reason for place, refusal in refusals.items()} == {
        1: DropReason.NOT_FINITE,
        2: DropReason.ZERO_AREA,
        3: DropReason.ZERO_AREA,
        4: DropReason.OUTSIDE_FRAME,
        6: DropReason.OUTSIDE_FRAME,
        7: DropReason.OUTSIDE_FRAME,
    }
    assert str(refusals[4]).endswith("lies outside the frame of 100×100")


class Looking(nn.Module):
    """A projective answer that depends on the crop, sure of some of its crops only."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.head = nn.Linear(64, 8)

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        features = nn.functional.adaptive_avg_pool2d(crops, [8, 8]).flatten(1)
        seen = self.head(features - 0.5)
        theta = torch.eye(3).unsqueeze(0).repeat(count, 1, 1) * 0.7
        theta[:, :2] = theta[:, :2] + seen[:, :6].reshape(count, 2, 3)
        theta[:, 2, :2] = 0.3 * seen[:, 6:8]
        theta[:, 2, 2] = 1.0
        return {
            "theta": theta,
            "log_variance": -5.0 + 3.0 * seen,
            "score": torch.sigmoid(8.0 * seen[:, 0]),
            "class_logits": seen[:, :3] * 10.0,
        }


@pytest.mark.parametrize("steps", [0, 1])
def test_a_box_alone_and_among_others_leads_to_the_same_view(
    make_archive: Callable[..., ModelArchive], steps: int
) -> None:
    archive = make_archive(
        Looking(), family="projective", box_sigma=0.02, class_names=("one", "two")
    )
    settings = PipelineSettings(refinement_steps=steps, min_score=0.3, max_corner_sigma=0.06)
    rng = np.random.default_rng(5)
    regions = []
    for number, (center, size) in enumerate(
        zip(rng.uniform(0, [320, 240], (60, 2)), rng.uniform(20, 90, (60, 2)), strict=True)
    ):
        box = (
            OrientedBox(*center, *size, rng.uniform(-3, 3))
            if number % 3
            else AxisAlignedBox(*center, *size)
        )
        regions.append(Region(box, id=str(number)))
    canonicalizer = Canonicalizer(archive, settings, get_backend("opencv"))
    half = FrameRequest("front", FRAME, tuple(regions[:30]))
    other = FrameRequest("back", FRAME, tuple(regions[30:]))
    together = canonicalizer.predict([half, other])
    estimates = {e.region.id: e for prediction in together for e in prediction.estimates}
    dropped = {drop.id: drop for prediction in together for drop in prediction.dropped}
    assert len(estimates) + len(dropped) == 60
    assert len(estimates) >= 10
    assert len(dropped) >= 10
    for number, region in enumerate(regions):
        (alone,) = canonicalizer.predict([FrameRequest("front", FRAME, (region,))])
        if alone.dropped:
            (drop,) = alone.dropped
            kept = dropped[region.id]
            assert (drop.reason, kept.index) == (kept.reason, number % 30)
            assert drop.detail[:20] == kept.detail[:20]
            continue
        (one,), among = alone.estimates, estimates[region.id]
        assert (one.class_id, among.index) == (among.class_id, number % 30)
        # The network itself rounds otherwise in another batch.
        np.testing.assert_allclose(one.frame_from_view, among.frame_from_view, atol=1e-2)
        np.testing.assert_allclose(one.corner_covariance, among.corner_covariance, rtol=1e-3)
        assert one.score == pytest.approx(among.score, abs=1e-4)
        assert one.corner_sigma_of_side == pytest.approx(among.corner_sigma_of_side, rel=1e-4)
