# SPDX-License-Identifier: Apache-2.0
"""A rendered scene shows its thing where the truth says, whatever window is cut."""

import sys

import numpy as np
import pytest
import torch

from stn_perception.stn import corners_from_theta, homography_grid, sample
from stn_perception.studies.errors import StudyError
from stn_perception.studies.localize import rendered_scenes
from stn_perception.studies.localize.rendered_frame import FRAME_PX, LARGEST_PX, SMALLEST_PX
from stn_perception.studies.localize.rendered_scenes import Frames, RenderedScenes, render_frames

COUNT = 24


@pytest.fixture(scope="module")
def frames() -> Frames:
    return render_frames("validation", COUNT)


@pytest.fixture
def scenes_of(monkeypatch: pytest.MonkeyPatch):
    def scenes(frames: Frames) -> RenderedScenes:
        monkeypatch.setattr(rendered_scenes, "rendered_frames", lambda split: frames)
        return RenderedScenes()

    return scenes


def marked(frames: Frames) -> Frames:
    """Frames whose squares are ramps on even gray, as bright at the left as at no other place."""
    pixels = np.full_like(frames.pixels, 100)
    for picture, (left, top, side) in zip(pixels, frames.squares_px, strict=True):
        columns = np.arange(round(left), round(left + side))
        rows = slice(round(top), round(top + side))
        picture[rows, columns] = 250 - 100 * (columns - left) / side
    return Frames(pixels, frames.labels, frames.squares_px)


def test_frames_are_alike_every_time_and_differ_by_split(frames: Frames) -> None:
    again, other = render_frames("validation", 3), render_frames("test", 3)
    assert np.array_equal(again.pixels, frames.pixels[:3])
    assert not np.array_equal(other.pixels, frames.pixels[:3])


def test_things_fit_and_differ_from_their_surroundings(frames: Frames) -> None:
    left, top, side = frames.squares_px.T
    assert side.min() >= SMALLEST_PX and side.max() <= LARGEST_PX
    assert min(left.min(), top.min()) > 0
    assert max((left + side).max(), (top + side).max()) < FRAME_PX - 1
    assert len(np.unique(frames.labels)) > 5
    contrast = []
    for picture, (x, y, size) in zip(frames.pixels, frames.squares_px, strict=True):
        part = picture[round(y) : round(y + size), round(x) : round(x + size)].astype(float)
        contrast.append(part.std() / (picture.std() + 1e-6))
    assert np.median(contrast) > 1.2


@pytest.mark.parametrize("split", ["validation", "train"])
def test_the_truth_moves_with_the_window_and_the_mirror(frames, scenes_of, split) -> None:
    drawn = scenes_of(marked(frames)).draw(split, 60, torch.Generator().manual_seed(2))
    views = sample(drawn.images, homography_grid(drawn.truth, 20, 20, 84, 84), "bilinear")
    # Bright all over the square, dark at once outside.
    wider = drawn.truth.clone()
    wider[:, 0, 0] *= 1.25
    wider[:, 1, 1] *= 1.25
    about = sample(drawn.images, homography_grid(wider, 20, 20, 84, 84), "bilinear")
    assert float((views[:, 0, 1:-1, 1:-1] > 0.2).float().mean()) > 0.99
    assert float((about[:, 0, 0] > 0.2).float().mean()) < 0.01
    falls = (views[:, 0, :, 1] > views[:, 0, :, -2]).float().mean(dim=1)
    mirrored = float((falls < 0.5).float().mean())
    assert (0.25 < mirrored < 0.75) if split == "train" else mirrored == 0
    assert float(corners_from_theta(drawn.truth).abs().max()) <= 1


def test_windows_differ_in_training_and_never_in_tests(frames, scenes_of) -> None:
    scenes = scenes_of(frames)
    first = scenes.fixed("test", COUNT)
    assert torch.equal(first.images, scenes.fixed("test", COUNT).images)
    assert torch.equal(first.images[:5], scenes.fixed("test", 5).images)
    one, other = (
        scenes.draw("train", 40, torch.Generator().manual_seed(seed)).truth for seed in (1, 2)
    )
    assert not torch.equal(one, other)


def test_a_scene_is_as_bright_as_its_table_beyond_its_edge(frames, scenes_of) -> None:
    images = scenes_of(frames).fixed("test", COUNT).images
    assert torch.allclose(images.flatten(1).median(dim=1).values, torch.zeros(COUNT), atol=1e-6)
    assert torch.allclose(images.flatten(1).std(dim=1), torch.ones(COUNT), atol=1e-3)


def test_more_scenes_than_were_rendered_are_refused(frames, scenes_of) -> None:
    with pytest.raises(StudyError, match=f"25 rendered scenes.*at most {COUNT}"):
        scenes_of(frames).fixed("test", COUNT + 1)


def test_without_the_renderer_one_sentence_says_what_to_install(monkeypatch) -> None:
    for name in ("studies.localize.rendered_frame", "training.tabletop.renderer"):
        monkeypatch.delitem(sys.modules, f"stn_perception.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "pybullet", None)
    with pytest.raises(StudyError, match="want pybullet and scipy, which the extra 'studies'"):
        render_frames("validation", 1)
