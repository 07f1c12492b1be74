# SPDX-License-Identifier: Apache-2.0
"""Boxes become views by composition alone, and every box has an outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.quads import view_quad
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import InputSample, get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest, full_frame_region
from stn_perception.runtime.results import Prediction
from stn_perception.runtime.settings import PipelineSettings

IDENTITY = [[1.0, 0, 0], [0, 1, 0]]
MakeArchive = Callable[..., ModelArchive]


def gray_frame(width: int = 320, height: int = 240, seed: int = 0) -> Frame:
    pixels = np.random.default_rng(seed).integers(1, 256, (height, width), dtype=np.uint8)
    return Frame(pixels, "gray")


def region(
    x: float, y: float, width: float, height: float, angle: float = 0.0, id: str = ""
) -> Region:
    if angle:
        return Region(OrientedBox(x, y, width, height, angle), id=id)
    return Region(AxisAlignedBox(x, y, width, height), id=id)


def predict(
    archive: ModelArchive, regions: Sequence[Any], frame: Frame | None = None, **settings: Any
) -> Prediction:
    canonicalizer = Canonicalizer(archive, PipelineSettings(**settings), get_backend("opencv"))
    request = FrameRequest("front", frame or gray_frame(), tuple(regions))
    return canonicalizer.predict([request])[0]


def quad_of(prediction: Prediction, place: int = 0) -> np.ndarray:
    transform = prediction.estimates[place].frame_from_view
    return view_quad(transform, prediction.view_width, prediction.view_height)


def test_the_identity_shows_the_box(make_archive: MakeArchive) -> None:
    archive = make_archive(IDENTITY, box_margin=1.0, view_width=50, view_height=20)
    box = region(100, 80, 60, 40)
    np.testing.assert_allclose(quad_of(predict(archive, [box])), box.box.corners(), atol=1e-9)


def test_the_margin_enlarges_the_crop_about_the_boxes_centre(make_archive: MakeArchive) -> None:
    archive = make_archive(IDENTITY, box_margin=1.5)
    box = region(100, 80, 60, 40)
    expected = region(100, 80, 90, 60).box.corners()
    np.testing.assert_allclose(quad_of(predict(archive, [box])), expected, atol=1e-9)


def test_an_oriented_box_gives_a_turned_crop(make_archive: MakeArchive) -> None:
    box = region(100, 80, 60, 40, angle=0.4)
    prediction = predict(make_archive(IDENTITY), [box])
    np.testing.assert_allclose(quad_of(prediction), box.box.corners(), atol=1e-9)


def test_theta_maps_view_to_crop_as_affine_grid_means_it(make_archive: MakeArchive) -> None:
    """The corners must lie where torch's own affine_grid puts the view's outer edges."""
    theta = [[0.7, -0.3, 0.1], [0.2, 0.6, -0.2]]
    prediction = predict(make_archive(theta), [region(120, 100, 80, 64)])
    size = 1000
    grid = torch.nn.functional.affine_grid(
        torch.tensor([theta], dtype=torch.float64), [1, 1, size, size], align_corners=False
    )[0]
    ends = [(0, 0), (0, size - 1), (size - 1, size - 1), (size - 1, 0)]
    in_crop = np.stack([grid[row, column].numpy() for row, column in ends])
    expected = in_crop * [40, 32] + [120, 100]
    np.testing.assert_allclose(quad_of(prediction), expected, atol=0.1)


@pytest.mark.parametrize("steps", [0, 1, 3])
def test_refinement_composes_transforms(make_archive: MakeArchive, steps: int) -> None:
    theta = np.array([[0.8, -0.1, 0.05], [0.1, 0.7, -0.02], [0.02, -0.03, 1.0]], dtype=np.float32)
    margin = 1.25
    archive = make_archive(
        theta, family="projective", refinement_steps=steps, refinement_margin=margin
    )
    prediction = predict(archive, [region(150, 120, 100, 80)])
    total = theta.astype(np.float64)
    for _ in range(steps):
        total = total @ np.diag([margin, margin, 1]) @ theta
    corners = np.array([[-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1.0]]) @ total.T
    expected = corners[:, :2] / corners[:, 2:] * [50, 40] + [150, 120]
    np.testing.assert_allclose(quad_of(prediction), expected, atol=1e-6)


def test_settings_may_ask_for_more_refinement_than_the_card(make_archive: MakeArchive) -> None:
    theta = [[0.9, 0, 0], [0, 0.9, 0]]
    box = region(150, 120, 100, 80)
    twice = predict(make_archive(theta, refinement_steps=2), [box])
    asked = predict(make_archive(theta), [box], refinement_steps=2)
    np.testing.assert_array_equal(quad_of(twice), quad_of(asked))


class Centroid(nn.Module):
    """Centres the view on what is bright, at the crop's own scale."""

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        size = crops.shape[3]
        axis = (2.0 * torch.arange(size) + 1.0) / size - 1.0
        mass = crops[:, 0].sum(dim=(1, 2)) + 1e-9
        x = (crops[:, 0].sum(dim=1) * axis).sum(dim=1) / mass
        y = (crops[:, 0].sum(dim=2) * axis).sum(dim=1) / mass
        theta = torch.zeros(crops.shape[0], 2, 3)
        theta[:, 0, 0] = 1.0
        theta[:, 1, 1] = 1.0
        theta[:, 0, 2] = x
        theta[:, 1, 2] = y
        return theta


def test_refinement_looks_again_and_always_at_the_original_frame(
    make_archive: MakeArchive,
) -> None:
    pixels = np.zeros((240, 320), dtype=np.uint8)
    pixels[110:131, 170:191] = 255  # centred on (180, 120), half outside the box below
    frame = Frame(pixels, "gray")
    seen: list[InputSample] = []

    class Spy:
        name = "spy"
        inner = get_backend("opencv")

        def sample_inputs(self, samples: Any, *size: int) -> torch.Tensor:
            seen.extend(samples)
            return self.inner.sample_inputs(samples, *size)

        def warp_view(self, *arguments: Any) -> Any:
            raise AssertionError("predicting warps no view")

    request = FrameRequest("front", frame, (region(155, 120, 50, 50),))
    errors = []
    for steps in (0, 1, 3):
        settings = PipelineSettings(refinement_steps=steps)
        canonicalizer = Canonicalizer(make_archive(Centroid()), settings, Spy())
        quad = quad_of(canonicalizer.predict([request])[0])
        errors.append(float(np.linalg.norm(quad.mean(axis=0) - [180, 120])))
    assert errors[0] > 3 > errors[1]
    assert errors[2] < 0.05
    assert all(sample.frame is frame for sample in seen)


def test_all_boxes_of_all_cameras_share_one_batch(make_archive: MakeArchive) -> None:
    archive = make_archive(Centroid())
    sizes: list[int] = []
    predict_batch = archive.predict

    def counted(crops: Any) -> Any:
        sizes.append(len(crops))
        return predict_batch(crops)

    archive.predict = counted  # type: ignore[method-assign]
    requests = [
        FrameRequest(
            camera,
            gray_frame(seed=seed),
            tuple(region(60 + 40 * i, 100, 50, 60) for i in range(boxes)),
        )
        for seed, (camera, boxes) in enumerate([("left", 3), ("right", 0), ("rear", 2)])
    ]
    canonicalizer = Canonicalizer(
        archive, PipelineSettings(refinement_steps=1), get_backend("opencv")
    )
    together = canonicalizer.predict(requests)
    assert sizes == [5, 5]
    again = canonicalizer.predict(requests)
    for request, first, second in zip(requests, together, again, strict=True):
        alone = canonicalizer.predict([request])[0]
        assert len(first.estimates) == len(request.regions)
        for a, b, c in zip(first.estimates, second.estimates, alone.estimates, strict=True):
            np.testing.assert_array_equal(a.frame_from_view, b.frame_from_view)
            np.testing.assert_allclose(a.frame_from_view, c.frame_from_view, rtol=1e-5, atol=1e-5)


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


def test_a_transform_of_negative_sign_is_the_same_transform(make_archive: MakeArchive) -> None:
    theta = np.array([[0.8, -0.1, 0.05], [0.1, 0.7, -0.02], [0.02, -0.03, 1.0]])
    box = region(150, 120, 100, 80)
    for steps in (0, 2):
        quads = [
            quad_of(
                predict(make_archive(sign * theta, refinement_steps=steps), [box]),
            )
            for sign in (1, -1)
        ]
        np.testing.assert_allclose(quads[0], quads[1], atol=1e-9)


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


def test_the_whole_frame_can_be_the_region(make_archive: MakeArchive) -> None:
    frame = gray_frame(101, 77)
    prediction = predict(make_archive(IDENTITY), [full_frame_region(frame)], frame)
    expected = [[-0.5, -0.5], [100.5, -0.5], [100.5, 76.5], [-0.5, 76.5]]
    np.testing.assert_allclose(quad_of(prediction), expected, atol=1e-9)
