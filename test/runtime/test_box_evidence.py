# SPDX-License-Identifier: Apache-2.0
"""The detection's box counts as evidence about the corners as much as card or settings say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.quads import view_quad
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings


class Shrunk(nn.Module):
    """Sees the object at nine tenths of its size, and is unsure of it."""

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        theta = torch.diag(torch.tensor([0.9, 0.9, 1.0])).unsqueeze(0).repeat(count, 1, 1)
        return {"theta": theta, "log_variance": torch.full([count, 8], -2.0)}


def shown(archive: ModelArchive, box: AxisAlignedBox, box_sigma: float) -> np.ndarray:
    """Corners and frame of the view of one box, without its margin."""
    settings = PipelineSettings(box_sigma=box_sigma)
    canonicalizer = Canonicalizer(archive, settings, get_backend("opencv"))
    frame = Frame(np.zeros((200, 300), np.uint8), "gray")
    (prediction,) = canonicalizer.predict([FrameRequest("front", frame, (Region(box),))])
    estimate = prediction.estimates[0]
    return view_quad(estimate.frame_from_view, prediction.view_width, prediction.view_height)


@pytest.fixture
def archive(make_archive: Callable[..., ModelArchive]) -> ModelArchive:
    return make_archive(Shrunk(), family="projective", box_sigma=0.001)


BOX = AxisAlignedBox(center_x=150.0, center_y=100.0, width=80.0, height=40.0)


def test_an_exact_box_holds_the_outermost_corners(archive: ModelArchive) -> None:
    corners = shown(archive, BOX, -1.0)
    np.testing.assert_allclose(corners.min(axis=0), [110.0, 80.0], atol=0.3)
    np.testing.assert_allclose(corners.max(axis=0), [190.0, 120.0], atol=0.3)


def test_a_box_that_says_nothing_leaves_the_networks_answer(archive: ModelArchive) -> None:
    corners = shown(archive, BOX, 0.0)
    np.testing.assert_allclose(corners.min(axis=0), [114.0, 82.0], atol=1e-4)
    np.testing.assert_allclose(corners.max(axis=0), [186.0, 118.0], atol=1e-4)


def test_a_side_at_the_frames_border_may_be_cut_and_says_nothing(archive: ModelArchive) -> None:
    box = AxisAlignedBox(center_x=39.5, center_y=100.0, width=80.0, height=40.0)
    corners = shown(archive, box, -1.0)
    assert corners[:, 0].min() == pytest.approx(3.5, abs=1e-3)
    assert corners[:, 0].max() == pytest.approx(79.5, abs=0.3)
