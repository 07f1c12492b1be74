# SPDX-License-Identifier: Apache-2.0
"""Scenes cut out of rendered frames, which are rendered once and kept in the cache.

A scene is less its median and by its deviation: tables are bright or dark, and what lies beyond
the picture, which a view shows as zeros, then is as bright as the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stn_perception.bags.errors import BagError
from stn_perception.bags.opening.cache_folder import cached_entry
from stn_perception.studies.data.digits import Split
from stn_perception.studies.data.package_files import study_cache
from stn_perception.studies.errors import StudyError
from stn_perception.studies.localize.scene_kind import SIDE_PX, Scenes

# Of each split; a training split is seen many times over, every time through other windows.
FRAMES: dict[Split, int] = {"train": 4000, "validation": 500, "test": 1000}
_SEEDS: dict[Split, int] = {"train": 1, "validation": 2, "test": 3}
# Whoever changes what is rendered counts this up.
_VERSION = 1
_FILE = "frames.npz"
# Training mirrors a scene and multiplies its contrast by this and up to its inverse.
_LEAST_CONTRAST = 0.7


@dataclass(frozen=True, eq=False)
class Frames:
    """Rendered frames; see `RenderedFrame`.

    Attributes:
        pixels: uint8 N×112×112.
        labels: int64 N.
        squares_px: float32 N×3, left, top and side.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    squares_px: NDArray[np.float32]


class RenderedScenes:
    """Things on tables, rendered; see `SceneKind`."""

    title = "Rendered things on tables, 84×84"
    truth_text = "the square about the thing's projection, hidden parts included"

    def draw(self, split: Split, count: int, generator: torch.Generator) -> Scenes:
        """Cut random windows out of random frames; of training frames, mirror and tone them."""
        frames = rendered_frames(split)
        chosen = torch.randint(len(frames.labels), (count,), generator=generator)
        cut = _cut(frames, chosen, torch.rand(count, 2, generator=generator))
        if split != "train":
            return cut
        tone = _LEAST_CONTRAST ** (2 * torch.rand(count, 1, 1, 1, generator=generator) - 1)
        images = cut.images * tone
        return _mirrored(
            Scenes(images, cut.labels, cut.truth), torch.rand(count, generator=generator) < 0.5
        )

    def fixed(self, split: Split, count: int) -> Scenes:
        """Return the first scenes of a split, one window of each frame.

        Raises:
            StudyError: There are not so many.
        """
        frames = rendered_frames(split)
        if count > len(frames.labels):
            raise StudyError(
                f"{count} rendered scenes of {split} are asked for, expected at most "
                f"{len(frames.labels)}."
            )
        generator = torch.Generator().manual_seed(_SEEDS[split])
        places = torch.rand(len(frames.labels), 2, generator=generator)
        return _cut(frames, torch.arange(count), places[:count])

    def shown(self, images: Tensor) -> Tensor:
        """Return scenes or views as pictures in 0 to 1: three deviations either way."""
        return (images / 6 + 0.5).clamp(0, 1)


@lru_cache(maxsize=3)
def rendered_frames(split: Split) -> Frames:
    """Return a split's frames, rendered on first use: about a tenth of a second each.

    Raises:
        StudyError: pybullet is not installed, or the cache cannot be written to.
    """
    count = FRAMES[split]
    try:
        entry = cached_entry(
            study_cache(),
            f"rendered-{split}",
            ["rendered frames", _VERSION, split, count],
            lambda folder: _write(folder / _FILE, split, count),
        )
    except BagError as error:
        raise StudyError(str(error)) from error
    with np.load(entry / _FILE) as content:
        return Frames(content["pixels"], content["labels"], content["squares_px"])


def render_frames(split: Split, count: int) -> Frames:
    """Render a split's first frames; each depends on the split and its number alone.

    Raises:
        StudyError: pybullet is not installed.
    """
    try:
        from stn_perception.studies.localize.rendered_frame import render_frame
        from stn_perception.training.tabletop.renderer import Renderer
    except ImportError as error:
        raise StudyError(
            "rendered scenes want pybullet and scipy, which the extra 'studies' installs: "
            f"{error}."
        ) from error
    # What is strewn about in tests was never seen in training.
    numbers = tuple(n for n in range(150) if (n % 5 == 4) == (split == "test"))
    with Renderer() as renderer:
        frames = [
            render_frame(np.random.default_rng([_SEEDS[split], i]), renderer, numbers)
            for i in range(count)
        ]
    return Frames(
        np.stack([frame.pixels for frame in frames]),
        np.array([frame.label for frame in frames], np.int64),
        np.array([frame.square_px for frame in frames], np.float32),
    )


def _write(path: Path, split: Split, count: int) -> None:
    frames = render_frames(split, count)
    np.savez_compressed(
        path, pixels=frames.pixels, labels=frames.labels, squares_px=frames.squares_px
    )


def _cut(frames: Frames, chosen: Tensor, places: Tensor) -> Scenes:
    """Cut a window out of each frame.

    Args:
        frames: To cut from.
        chosen: int64 N, their numbers.
        places: N×2 in 0 to 1, from the first to the last window that holds all of the square.
    """
    squares_px = torch.from_numpy(frames.squares_px)[chosen]
    left_top, side = squares_px[:, :2], squares_px[:, 2:]
    last = torch.tensor(float(frames.pixels.shape[2] - SIDE_PX))
    first = (left_top + side + 1 - SIDE_PX).ceil().clamp_min(0)
    final = torch.minimum(left_top.floor(), last)
    start = (first + places * (final - first)).round()
    windows = np.stack(
        [
            frames.pixels[n, y : y + SIDE_PX, x : x + SIDE_PX]
            for n, (x, y) in zip(chosen.tolist(), start.long().tolist(), strict=True)
        ]
    )
    center = (2 * (left_top + side / 2 - start) + 1) / SIDE_PX - 1
    half = side[:, 0] / SIDE_PX
    labels = torch.from_numpy(frames.labels)[chosen]
    return Scenes(_standardized(windows), labels, _squares(center, half))


def _squares(center: Tensor, half: Tensor) -> Tensor:
    theta = torch.eye(3).repeat(len(half), 1, 1)
    theta[:, 0, 0] = theta[:, 1, 1] = half
    theta[:, :2, 2] = center
    return theta


def _standardized(windows: NDArray[np.uint8]) -> Tensor:
    """Return uint8 N×H×W as N×1×H×W less the median and by the deviation."""
    pixels = torch.from_numpy(windows).float().unsqueeze(1)
    median = pixels.flatten(1).median(dim=1).values.view(-1, 1, 1, 1)
    deviation = pixels.flatten(1).std(dim=1).view(-1, 1, 1, 1)
    return (pixels - median) / deviation.clamp_min(1)


def _mirrored(scenes: Scenes, which: Tensor) -> Scenes:
    images, truth = scenes.images.clone(), scenes.truth.clone()
    images[which] = images[which].flip(3)
    truth[which, 0, 2] *= -1
    return Scenes(images, scenes.labels, truth)
