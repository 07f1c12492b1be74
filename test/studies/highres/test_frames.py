# SPDX-License-Identifier: Apache-2.0
"""Frames are what a camera would give, whichever way their pixels are asked for."""

import math

import cv2
import numpy as np
import pytest

from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.errors import StudyError
from stn_perception.studies.highres import backdrops as backdrops_module
from stn_perception.studies.highres.backdrops import HEIGHT_PX, WIDTH_PX, Backdrop, shrunk
from stn_perception.studies.highres.frames import Frame, SignPose, draw_frames


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    try:
        upright_digits("validation")
    except StudyError as error:
        pytest.skip(str(error))
    return draw_frames("validation", 6, np.random.default_rng(3))


def test_a_shrunk_frame_is_the_frame_shrunk(frames: list[Frame]) -> None:
    pixels = frames[0].pixels()
    assert pixels.shape == (HEIGHT_PX, WIDTH_PX)
    for factor in (4, 16):
        np.testing.assert_array_equal(frames[0].pixels(factor), shrunk(pixels, factor))


def test_shrinking_means_squares_of_pixels_by_four_of_their_rows() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 48)).astype(np.uint8)
    expected = pixels.reshape(8, 4, 12, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(shrunk(pixels, 4), expected, atol=0.51)
    expected = pixels.reshape(2, 16, 3, 16)[:, [2, 6, 10, 14]].mean(axis=(1, 3))
    np.testing.assert_allclose(shrunk(pixels, 16), expected, atol=0.51)


def test_a_window_is_that_part_of_the_frame(frames: list[Frame]) -> None:
    for frame in frames:
        # The window's border goes through the sign.
        left, top = (round(at) // 4 for at in frame.pose.center_px)
        left, top = min(left, WIDTH_PX // 4 - 40), min(top, HEIGHT_PX // 4 - 30)
        whole = frame.pixels(4)[top : top + 30, left : left + 40]
        np.testing.assert_array_equal(frame.window(left, top, 40, 30, 4), whole)


def test_the_sign_lies_where_its_pose_says(frames: list[Frame]) -> None:
    for frame in frames:
        without = frame.backdrop.levels[1].astype(int)
        changed = (np.abs(frame.pixels().astype(int) - without) > 0).astype(np.uint8)
        # The noise of the sign itself differs all over it, and nowhere else.
        changed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        points = cv2.findNonZero(changed)
        assert points is not None
        (x, y), (width, height), _ = cv2.minAreaRect(points)
        assert (x, y) == pytest.approx(frame.pose.center_px, abs=2.5)
        assert math.sqrt(width * height) == pytest.approx(frame.pose.side_px, abs=4.0)


def test_no_photograph_is_in_two_splits() -> None:
    names = [name for split in backdrops_module._PHOTOGRAPHS.values() for name in split]
    assert len(names) == len(set(names))


def test_the_patch_reaches_over_no_border() -> None:
    level = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    backdrop = Backdrop({1: level, 16: shrunk(level, 16)})
    patch = np.full((256, 256), 200, np.uint8)
    corner = (WIDTH_PX - 256, HEIGHT_PX - 256)
    pose = SignPose((WIDTH_PX - 128.0, HEIGHT_PX - 128.0), 100.0, 0.0)
    frame = Frame(backdrop, patch, corner, pose, 0)
    assert int((frame.pixels() == 200).sum()) == 256 * 256
    assert int((frame.pixels(16) == 200).sum()) == 16 * 16
