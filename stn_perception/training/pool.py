# SPDX-License-Identifier: Apache-2.0
"""A store of generated scenes: drawn once by several processes, then read from memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.chunk_file import write_chunk
from stn_perception.training.packed import PackedPictures, packed, starts_of
from stn_perception.training.scenes import (
    HELD_OUT,
    TRAINING,
    LabelledSample,
    QuadSceneSettings,
    generate_scene,
)

CHUNK = 1000

# Part of a chunk's file name: bump it when the same seed would draw other scenes.
GENERATOR = 2

# What a chunk holds: the pool's fields, less what follows from the shapes.
_STORED = ("pixels", "shapes", "corners", "boxes")


def scene(seed: int, index: int, settings: QuadSceneSettings, held_out: bool) -> LabelledSample:
    """Draw the scene with this seed and index; held-out scenes use other materials.

    The scenes of the two sets never share random numbers either.
    """
    rng = np.random.default_rng([seed, int(held_out), index])
    return generate_scene(rng, HELD_OUT if held_out else TRAINING, settings)


def _chunk_path(folder: Path, seed: int, chunk: int, settings: QuadSceneSettings) -> Path:
    values = f"{GENERATOR} {sorted(asdict(settings).items())}"
    digest = hashlib.sha256(values.encode()).hexdigest()[:10]
    return folder / f"scenes_{digest}_{seed}_{chunk:05d}.npz"


def _write_chunk(folder: Path, seed: int, chunk: int, settings: QuadSceneSettings) -> int:
    cv2.setNumThreads(1)
    pool = pool_of([scene(seed, chunk * CHUNK + i, settings, False) for i in range(CHUNK)])
    arrays = {name: getattr(pool, name) for name in _STORED}
    write_chunk(_chunk_path(folder, seed, chunk, settings), arrays)
    return chunk


@dataclass(frozen=True)
class ScenePool(PackedPictures):
    """Many scenes, their pictures H×W.

    Attributes:
        corners: float64, N×4×2, pixels.
        boxes: float64, N×4: centre x, centre y, width, height in pixels.
    """

    corners: NDArray[np.float64]
    boxes: NDArray[np.float64]


def pool_of(scenes: Sequence[LabelledSample]) -> ScenePool:
    """Put scenes that are already drawn into one block of memory."""
    pictures = packed([s.pixels for s in scenes])
    return ScenePool(
        pixels=pictures.pixels,
        starts=pictures.starts,
        shapes=pictures.shapes,
        corners=np.array([s.corners for s in scenes]),
        boxes=np.array([s.box for s in scenes]),
    )


def build_pool(
    folder: Path,
    seed: int,
    count: int,
    settings: QuadSceneSettings,
    workers: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> ScenePool:
    """Draw the scenes that ``folder`` does not hold yet and read them all.

    Args:
        folder: where chunks are kept between runs; created when missing.
        seed: seed of the scenes.
        count: number of scenes; rounded up to whole chunks of 1,000.
        settings: ranges the scenes are drawn from.
        workers: processes that draw.
        report: called with scenes done and scenes wanted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = range(-(-count // CHUNK))
    missing = [c for c in chunks if not _chunk_path(folder, seed, c, settings).exists()]
    if missing:
        context = get_context("spawn")
        with ProcessPoolExecutor(max_workers=max(1, workers), mp_context=context) as executor:
            jobs = [executor.submit(_write_chunk, folder, seed, c, settings) for c in missing]
            done = len(chunks) - len(missing)
            for job in jobs:
                job.result()
                done += 1
                report(done * CHUNK, len(chunks) * CHUNK)
    return read_pool([_chunk_path(folder, seed, c, settings) for c in chunks])


def read_pool(paths: list[Path]) -> ScenePool:
    """Read chunks written by ``build_pool`` into one block of memory."""
    parts: dict[str, list[NDArray[np.generic]]] = {}
    for path in paths:
        with np.load(path) as chunk:
            for key in _STORED:
                parts.setdefault(key, []).append(chunk[key])
    shapes = np.concatenate(parts["shapes"]).astype(np.int32)
    return ScenePool(
        pixels=np.concatenate(parts["pixels"]).astype(np.uint8, copy=False),
        starts=starts_of(shapes),
        shapes=shapes,
        corners=np.concatenate(parts["corners"]).astype(np.float64),
        boxes=np.concatenate(parts["boxes"]).astype(np.float64),
    )
