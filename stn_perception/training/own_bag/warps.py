# SPDX-License-Identifier: Apache-2.0
"""Random known warps of a patch, and what may change in a crop without the object moving."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import pixel_from_normalized
from stn_perception.training.crops import cut
from stn_perception.training.own_bag.config import WarpConfig
from stn_perception.training.own_bag.crop_pool import CropPool, Picture
from stn_perception.training.view_axes import cell_centres

Matrix = NDArray[np.float64]


def random_warp(rng: np.random.Generator, config: WarpConfig, family: str) -> Matrix:
    """Return upright_crop_from_crop, 3×3 in normalised axes, of the family's own kind.

    A warp outside the family would ask the network for a transform it cannot give.
    """
    angle = rng.uniform(0, 2 * np.pi)
    zoom = np.exp(rng.uniform(-1, 1) * np.log(config.scale))
    cosine, sine = np.cos(angle), np.sin(angle)
    linear = zoom * np.array([(cosine, -sine), (sine, cosine)])
    if family != "similarity":
        shear, stretch = rng.uniform(-config.shear, config.shear, 2)
        linear = linear @ np.array([(1 + stretch, shear), (0, 1 / (1 + stretch))])
    warp = np.eye(3)
    warp[:2, :2] = linear
    warp[:2, 2] = rng.uniform(-config.shift, config.shift, 2)
    if family == "projective":
        tilt = np.eye(3)
        tilt[2, :2] = rng.uniform(-config.perspective, config.perspective, 2)
        warp = warp @ tilt
    return warp


def with_other_surroundings(rng: np.random.Generator, pool: CropPool, index: int) -> Picture:
    """Return a patch whose outside of the box shows surroundings of another one.

    They come from a corner of that patch, enlarged, where its own object is not. A box that
    leaves no corner (a whole frame) leaves the patch as it is.
    """
    own: Picture = pool.pixels[index]
    half = pool.half_sizes[index]
    other = int(rng.integers(len(pool)))
    size = own.shape[0]
    free = int(size * (1 - pool.half_sizes[other].max()) / 2)
    if free < 8:
        return own
    row, column = rng.integers(0, 2, 2) * (size - free)
    corner = pool.pixels[other][row : row + free, column : column + free]
    corner = np.rot90(corner, int(rng.integers(4)))
    outside = cv2.resize(np.ascontiguousarray(corner), (size, size))
    axis = cell_centres(size)
    # The box fades out over a twentieth of the patch, starting a little outside of it.
    over_x = np.clip((half[0] * 1.04 + 0.05 - np.abs(axis)) / 0.05, 0, 1)
    over_y = np.clip((half[1] * 1.04 + 0.05 - np.abs(axis)) / 0.05, 0, 1)
    inside = (over_y[:, None] * over_x[None]).astype(np.float32)
    return np.asarray(outside + (own.astype(np.float32) - outside) * inside, dtype=np.uint8)


def changed(rng: np.random.Generator, crop: Picture, config: WarpConfig) -> NDArray[np.float32]:
    """Return a crop in [0, 1] in another light, partly covered, blurred and noisy at random."""
    size = crop.shape[0]
    pixels = crop.astype(np.float32) / 255
    if rng.random() < config.cover:
        width, height = (rng.uniform(0.08, 0.3, 2) * size).astype(int) + 1
        x, y = rng.integers(0, size - width), rng.integers(0, size - height)
        pixels[y : y + height, x : x + width] = rng.uniform(0, 1)
    contrast, gamma = np.exp(rng.uniform(-1, 1, 2) * np.log(config.contrast))
    pixels = np.clip(pixels, 0, 1) ** np.float32(gamma)
    level = np.float32(rng.uniform(-config.brightness, config.brightness))
    mean = pixels.mean()
    pixels = mean + level + (pixels - mean) * np.float32(contrast)
    sigma = rng.uniform(0, config.blur)
    if sigma > 0.25:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.float32)
    noise = rng.standard_normal(pixels.shape, dtype=np.float32)
    pixels = pixels + noise * np.float32(rng.uniform(0, config.noise))
    return np.asarray(np.clip(pixels, 0, 1), dtype=np.float32)


def random_crop(
    rng: np.random.Generator,
    pool: CropPool,
    index: int,
    context: float,
    size: int,
    config: WarpConfig,
    family: str,
) -> tuple[NDArray[np.float32], Matrix]:
    """Return a warped and changed crop, S×S in [0, 1], and upright_crop_from_crop."""
    other = rng.random() < config.surroundings
    patch = with_other_surroundings(rng, pool, index) if other else pool.pixels[index]
    warp = random_warp(rng, config, family)
    return changed(rng, cut_upright(patch, warp, context, size), config), warp


def cut_upright(patch: Picture, warp: Matrix, context: float, size: int) -> Picture:
    """Cut a warped crop, uint8 S×S; the identity gives the crop that the runtime takes."""
    side = patch.shape[0]
    pixel_from_patch = pixel_from_normalized(side, side)
    patch_from_upright = np.diag([1 / context, 1 / context, 1.0])
    return cut(patch, pixel_from_patch @ patch_from_upright @ warp, size, padding="border")
