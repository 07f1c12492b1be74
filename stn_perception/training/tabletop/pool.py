# SPDX-License-Identifier: Apache-2.0
"""A store of table-top scenes: drawn once by several processes, then read from memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.chunk_file import write_chunk
from stn_perception.training.scenes import TRAINING as TRAINING_MATERIALS
from stn_perception.training.tabletop.config import TabletopConfig
from stn_perception.training.tabletop.cutouts import Cutout, build_cutouts
from stn_perception.training.tabletop.kinds import TRAINING
from stn_perception.training.tabletop.oriented import OrientedBox, oriented_box
from stn_perception.training.tabletop.pasted_scene import pasted_scene
from stn_perception.training.tabletop.renderer import Renderer
from stn_perception.training.tabletop.sample import Scene
from stn_perception.training.tabletop.table_scene import table_scene

CHUNK = 250

# Part of a chunk's file name: bump it when the same seed would draw other scenes.
GENERATOR = 1

Source = Literal["rendered", "pasted"]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class ScenePool:
    """Many scenes in one block of memory.

    Attributes:
        pictures: uint8, N×H×W.
        scene: int32, M: which picture each object is in.
        outlines, seen: float32, K×2: outlines of all objects one after another, whole and of
            what shows.
        outline_ends, seen_ends: int64, M+1: where each object's points begin, and the end.
    """

    pictures: NDArray[np.uint8]
    scene: NDArray[np.int32]
    outlines: NDArray[np.float32]
    seen: NDArray[np.float32]
    outline_ends: NDArray[np.int64]
    seen_ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.scene)

    def outline(self, index: int) -> NDArray[np.float64]:
        """Return one object's whole outline, N×2."""
        part = self.outlines[self.outline_ends[index] : self.outline_ends[index + 1]]
        return part.astype(np.float64)

    @functools.cached_property
    def truths(self) -> tuple[OrientedBox, ...]:
        """The oriented box of each object, in pixels of its picture."""
        return tuple(oriented_box(self.outline(i)) for i in range(len(self)))

    def visible(self, index: int) -> NDArray[np.float64]:
        """Return the outline of what shows of one object, N×2."""
        part = self.seen[self.seen_ends[index] : self.seen_ends[index + 1]]
        return part.astype(np.float64)


def pool_of(scenes: Sequence[Scene]) -> ScenePool:
    """Put scenes together."""
    objects = [(i, one) for i, scene in enumerate(scenes) for one in scene.objects]
    outlines = [one.outline for _, one in objects]
    seen = [one.seen for _, one in objects]
    return ScenePool(
        pictures=np.stack([scene.pixels for scene in scenes]),
        scene=np.array([i for i, _ in objects], np.int32),
        outlines=np.concatenate([np.empty((0, 2)), *outlines]).astype(np.float32),
        seen=np.concatenate([np.empty((0, 2)), *seen]).astype(np.float32),
        outline_ends=np.cumsum([0] + [len(o) for o in outlines]),
        seen_ends=np.cumsum([0] + [len(o) for o in seen]),
    )


def joined(pools: Sequence[ScenePool]) -> ScenePool:
    """Put pools one after another."""
    starts = np.cumsum([0] + [len(p.pictures) for p in pools])
    outlines = np.cumsum([0] + [len(p.outlines) for p in pools])
    seen = np.cumsum([0] + [len(p.seen) for p in pools])
    numbered = list(enumerate(pools))
    return ScenePool(
        pictures=np.concatenate([p.pictures for p in pools]),
        scene=np.concatenate([p.scene + np.int32(starts[i]) for i, p in numbered]),
        outlines=np.concatenate([p.outlines for p in pools]),
        seen=np.concatenate([p.seen for p in pools]),
        outline_ends=np.concatenate(
            [p.outline_ends[:-1] + outlines[i] for i, p in numbered] + [outlines[-1:]]
        ),
        seen_ends=np.concatenate([p.seen_ends[:-1] + seen[i] for i, p in numbered] + [seen[-1:]]),
    )


def _path(folder: Path, source: Source, seed: int, chunk: int, cutouts: int) -> Path:
    library = f"_{cutouts}" if source == "pasted" else ""
    return folder / f"{source}_{GENERATOR}{library}_{seed}_{chunk:05d}.npz"


# A worker draws many chunks from one library.
_LIBRARY: dict[tuple[int, int], list[Cutout]] = {}


def _library(seed: int, count: int) -> list[Cutout]:
    if (seed, count) not in _LIBRARY:
        _LIBRARY[seed, count] = build_cutouts(seed, count, TRAINING)
    return _LIBRARY[seed, count]


def training_scenes(
    source: Source, seed: int, first: int, count: int, cutouts: int
) -> list[Scene]:
    """Draw scenes of the training set; each depends on source, seed and its number alone."""
    numbers = range(first, first + count)
    if source == "pasted":
        library = _library(seed, cutouts)
        return [
            pasted_scene(np.random.default_rng([seed, 2, i]), library, TRAINING_MATERIALS)
            for i in numbers
        ]
    with Renderer() as renderer:
        return [
            table_scene(
                np.random.default_rng([seed, 1, i]), renderer, TRAINING, TRAINING_MATERIALS
            )
            for i in numbers
        ]


def _write_chunk(path: Path, source: Source, seed: int, chunk: int, cutouts: int) -> None:
    cv2.setNumThreads(1)
    pool = pool_of(training_scenes(source, seed, chunk * CHUNK, CHUNK, cutouts))
    write_chunk(path, {f.name: getattr(pool, f.name) for f in fields(pool)})


def build_pool(
    config: TabletopConfig, seed: int, report: Report = lambda done, total: None
) -> dict[Source, ScenePool]:
    """Draw the scenes that the folder does not hold yet and read them all, by source.

    Args:
        config: how many, where, by how many processes.
        seed: of the scenes.
        report: called with scenes done and scenes wanted.
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    counts: tuple[tuple[Source, int], ...] = (
        ("pasted", config.pasted),
        ("rendered", config.rendered),
    )
    wanted = [
        (_path(config.folder, source, seed, chunk, config.cutouts), source, chunk)
        for source, count in counts
        for chunk in range(count // CHUNK)
    ]
    missing = [one for one in wanted if not one[0].exists()]
    total = len(wanted) * CHUNK
    with ProcessPoolExecutor(config.workers, mp_context=get_context("spawn")) as executor:
        futures = [
            executor.submit(_write_chunk, path, source, seed, chunk, config.cutouts)
            for path, source, chunk in missing
        ]
        for done, future in enumerate(futures):
            future.result()
            report(total - (len(missing) - done - 1) * CHUNK, total)
    return {
        source: joined([_read(path) for path, which, _ in wanted if which == source])
        for source, count in counts
        if count
    }


def _read(path: Path) -> ScenePool:
    with np.load(path) as content:
        return ScenePool(**{name: content[name] for name in content.files})
