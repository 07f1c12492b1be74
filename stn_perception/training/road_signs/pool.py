# SPDX-License-Identifier: Apache-2.0
"""Scenes kept in memory: what training cuts its crops from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.packed import PackedPictures, packed, starts_of
from stn_perception.training.road_signs.catalogue import class_names
from stn_perception.training.road_signs.scene import SignSample, generate_scene
from stn_perception.training.road_signs.scene_settings import SignSceneSettings

_CHUNK = 200
# Outlines are resampled to this many points.
OUTLINE_POINTS = 24


@dataclass(frozen=True)
class SignPool(PackedPictures):
    """Scenes in a few arrays, their pictures H×W×3.

    Attributes:
        corners: float64 N×4×2 pixels.
        outlines: float64 N×M×2 pixels.
        class_index: int64 N.
        symmetry: int64 N.
    """

    corners: NDArray[np.float64]
    outlines: NDArray[np.float64]
    class_index: NDArray[np.int64]
    symmetry: NDArray[np.int64]


def scene_number(seed: int, index: int, settings: SignSceneSettings, held_out: bool) -> SignSample:
    """Draw scene ``index`` of a seed; held-out scenes have seeds of their own."""
    cv2.setNumThreads(1)
    return generate_scene(np.random.default_rng([seed, int(held_out), index]), settings, held_out)


def _resampled(outline: NDArray[np.float64]) -> NDArray[np.float64]:
    """Repeat corners of an outline so that all outlines are equally long."""
    index = np.linspace(0, len(outline), OUTLINE_POINTS, endpoint=False).astype(int)
    # A bounding box needs the extreme points in four directions above all.
    extremes = [int(outline[:, axis].argmin()) for axis in (0, 1)]
    extremes += [int(outline[:, axis].argmax()) for axis in (0, 1)]
    index[:: OUTLINE_POINTS // 4] = extremes
    return np.asarray(outline[index])


def pool_of(samples: Sequence[SignSample]) -> SignPool:
    """Pack samples."""
    names = class_names()
    pictures = packed([s.pixels for s in samples])
    return SignPool(
        pixels=pictures.pixels,
        starts=pictures.starts,
        shapes=pictures.shapes,
        corners=np.array([s.corners for s in samples]),
        outlines=np.array([_resampled(s.outline) for s in samples]),
        class_index=np.array([names.index(s.name) for s in samples], np.int64),
        symmetry=np.array([s.symmetry for s in samples], np.int64),
    )


def _chunk(seed: int, settings: SignSceneSettings, count: int, start: int) -> SignPool:
    stop = min(start + _CHUNK, count)
    return pool_of([scene_number(seed, i, settings, False) for i in range(start, stop)])


def draw_pool(
    seed: int,
    count: int,
    settings: SignSceneSettings,
    workers: int,
    report: Callable[[int, int], None],
) -> SignPool:
    """Draw the training scenes of a seed.

    Args:
        seed: of the run.
        count: how many.
        settings: what they look like.
        workers: processes that draw.
        report: called with scenes done and scenes wanted.
    """
    starts = range(0, count, _CHUNK)
    draw = partial(_chunk, seed, settings, count)
    parts: list[SignPool] = []
    if workers == 1:
        for start in starts:
            parts.append(draw(start))
            report(min(start + _CHUNK, count), count)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
            for part in executor.map(draw, starts):
                parts.append(part)
                report(sum(len(p) for p in parts), count)
    shapes = np.concatenate([p.shapes for p in parts])
    return SignPool(
        pixels=np.concatenate([p.pixels for p in parts]),
        starts=starts_of(shapes),
        shapes=shapes,
        corners=np.concatenate([p.corners for p in parts]),
        outlines=np.concatenate([p.outlines for p in parts]),
        class_index=np.concatenate([p.class_index for p in parts]),
        symmetry=np.concatenate([p.symmetry for p in parts]),
    )
