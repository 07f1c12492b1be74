# SPDX-License-Identifier: Apache-2.0
"""Uncertainty that reaches the messages: covariances, marks, and views that are dropped."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.geometry.planar_pose import object_corners, pose_from_size, project
from stn_perception.geometry.pose import Pose
from stn_perception.geometry.quads import view_quad
from stn_perception.geometry.rotations import rotation_from_vector, vector_from_rotation
from stn_perception.messages.factory import NamespaceFactory
from stn_perception.messages.objects import hypothesis_score
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.drawing import UNCERTAIN_COLOR, draw_overlay
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.pipeline import Pipeline
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.result_messages import ResultMessages
from stn_perception.runtime.results import FrameResult
from stn_perception.runtime.settings import PipelineSettings

MakeArchive = Callable[..., ModelArchive]
INTRINSICS = PinholeIntrinsics(
    np.array([[300.0, 0, 162], [0, 310, 118], [0, 0, 1]]), width=320, height=240
)
SIZE_M = (0.3, 0.2)


SURE = AxisAlignedBox(80, 120, 90, 80)
UNSURE = AxisAlignedBox(240, 120, 90, 80)


def tilted_rectangle() -> np.ndarray:
    """Theta that shows a rectangle of SIZE_M, 1.3 m away and tilted, in the sure box."""
    pose = Pose(rotation_from_vector([0.5, -0.4, 0.2]), np.array([-0.36, 0.01, 1.3]))
    quad = project(pose, object_corners(SIZE_M), INTRINSICS)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    crop_from_frame = homography_from_corners(square, SURE.corners())
    return np.asarray(crop_from_frame @ homography_from_corners(quad, square))


class SureOnTheLeft(nn.Module):
    """Predicts a tilted rectangle; deviations are 0.02 of the half crop, 0.2 on bright crops."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("theta", torch.as_tensor(tilted_rectangle(), dtype=torch.float32))

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        bright = crops.mean(dim=(1, 2, 3)) > 0.5
        sigma = torch.where(bright, torch.tensor(0.2), torch.tensor(0.02))
        return {
            "theta": self.theta.unsqueeze(0).repeat(count, 1, 1),
            "log_variance": (2.0 * torch.log(sigma)).unsqueeze(1).repeat(1, 8),
        }


def run(make_archive: MakeArchive, **settings: float) -> tuple[Frame, FrameResult]:
    pixels = np.full((240, 320), 40, dtype=np.uint8)
    pixels[:, 160:] = 220
    frame = Frame(pixels, "gray", 1, "camera_optical")
    regions = (Region(SURE, "sure"), Region(UNSURE, "unsure"))
    archive = make_archive(SureOnTheLeft(), object_size_m={"": SIZE_M}, family="projective")
    pipeline = Pipeline(archive, PipelineSettings(**settings))  # type: ignore[arg-type]
    (result,) = pipeline.process([FrameRequest("front", frame, regions, INTRINSICS)])
    return frame, result


def test_a_views_covariance_in_the_message_is_that_of_repeated_measurements(
    make_archive: MakeArchive,
) -> None:
    """Disturb the published quad as the corner deviations say, and watch the pose."""
    _, result = run(make_archive)
    item = next(item for item in result.objects if item.region.id == "sure")
    message = ResultMessages(NamespaceFactory()).objects(result)
    detection = next(each for each in message.detections if each.id == "sure")
    published = np.reshape(detection.results[0].pose.covariance, (6, 6))
    assert item.pose is not None and item.corner_covariance is not None
    quad = view_quad(item.frame_from_view, item.view_width, item.view_height)
    small = 0.1  # the propagation is of first order
    rng = np.random.default_rng(0)
    samples = rng.multivariate_normal(quad.ravel(), item.corner_covariance * small**2, 3000)
    poses = [pose_from_size(each.reshape(4, 2), INTRINSICS, SIZE_M).pose for each in samples]
    changes = [
        np.append(
            pose.translation - item.pose.pose.translation,
            vector_from_rotation(pose.rotation @ item.pose.pose.rotation.T),
        )
        for pose in poses
    ]
    expected = np.cov(np.array(changes).T) / small**2
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((published - expected) / scale).max() < 0.1


def test_the_unsure_views_pose_is_as_much_less_certain(make_archive: MakeArchive) -> None:
    _, result = run(make_archive)
    message = ResultMessages(NamespaceFactory()).objects(result)
    variances = {
        each.id: np.diag(np.reshape(each.results[0].pose.covariance, (6, 6)))
        for each in message.detections
    }
    sigma_px = {each.id: hypothesis_score(each, "corner_sigma_px") for each in message.detections}
    assert sigma_px["unsure"] == pytest.approx(10 * sigma_px["sure"], rel=1e-3)
    assert (variances["unsure"][2:] > 20 * variances["sure"][2:]).all()


def test_views_above_the_limit_are_marked_and_stay(make_archive: MakeArchive) -> None:
    frame, result = run(make_archive, uncertain_corner_sigma=0.08)
    marks = {item.region.id: item.is_uncertain for item in result.objects}
    assert marks == {"sure": False, "unsure": True}
    message = ResultMessages(NamespaceFactory()).objects(result)
    scores = {each.id: hypothesis_score(each, "is_uncertain") for each in message.detections}
    assert scores == {"sure": 0.0, "unsure": 1.0}
    magenta = magenta_of(draw_overlay(frame, result))
    assert (magenta[:, 160:] > 60).sum() > 40
    assert not (magenta[:, :160] > 60).any()


def test_a_marked_outline_is_dashed(make_archive: MakeArchive) -> None:
    frame, result = run(make_archive, uncertain_corner_sigma=0.08)
    picture = draw_overlay(frame, result)
    item = next(item for item in result.objects if item.is_uncertain)
    quad = view_quad(item.frame_from_view, item.view_width, item.view_height)
    along = quad[1] + np.linspace(0, 1, 200)[:, None] * (quad[2] - quad[1])
    magenta = magenta_of(picture)
    ink = cv2.remap(magenta, along[:, None].astype(np.float32), None, cv2.INTER_LINEAR)
    assert np.count_nonzero(np.diff((ink[:, 0] > 60).astype(int)) == 1) >= 2


def magenta_of(picture: np.ndarray) -> np.ndarray:
    """How magenta each pixel is, 0 to 255, whatever share of it the line covers."""
    blue, green, red = (picture[..., i].astype(int) for i in range(3))
    assert UNCERTAIN_COLOR == (255, 0, 255)
    return np.clip(np.minimum(blue, red) - green, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("limit", [0.0, 10.0])
def test_nothing_is_marked_without_a_limit_or_below_it(
    make_archive: MakeArchive, limit: float
) -> None:
    _, result = run(make_archive, uncertain_corner_sigma=limit)
    assert len(result.objects) == 2
    assert not any(item.is_uncertain for item in result.objects)


def test_views_above_the_other_limit_are_dropped_as_uncertain(make_archive: MakeArchive) -> None:
    _, result = run(make_archive, max_corner_sigma=0.08)
    assert [item.region.id for item in result.objects] == ["sure"]
    (drop,) = result.dropped
    assert (drop.id, drop.reason) == ("unsure", DropReason.UNCERTAIN)
    assert "expected at most 0.08" in drop.detail


def test_a_network_without_variances_marks_nothing(make_archive: MakeArchive) -> None:
    archive = make_archive([[1.0, 0, 0], [0, 1, 0]])
    frame = Frame(np.full((60, 80), 90, dtype=np.uint8), "gray")
    request = FrameRequest("c", frame, (Region(AxisAlignedBox(40, 30, 30, 20)),))
    (result,) = Pipeline(archive, PipelineSettings(uncertain_corner_sigma=1e-6)).process([request])
    assert [item.is_uncertain for item in result.objects] == [False]
