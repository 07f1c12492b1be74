# SPDX-License-Identifier: Apache-2.0
"""Boxes become views by composition alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.runtime.backends import InputSample, get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest, full_frame_region
from stn_perception.runtime.settings import PipelineSettings

from .predicting import IDENTITY, MakeArchive, gray_frame, predict, quad_of, region


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


def test_the_whole_frame_can_be_the_region(make_archive: MakeArchive) -> None:
    frame = gray_frame(101, 77)
    prediction = predict(make_archive(IDENTITY), [full_frame_region(frame)], frame)
    expected = [[-0.5, -0.5], [100.5, -0.5], [100.5, 76.5], [-0.5, 76.5]]
    np.testing.assert_allclose(quad_of(prediction), expected, atol=1e-9)
