# SPDX-License-Identifier: Apache-2.0
"""One scene: a sign, or something that is none, in a colour picture with exact truth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import transform_points
from stn_perception.training.road_signs import boards, color
from stn_perception.training.road_signs.catalogue import UNKNOWN, class_names, signs_of
from stn_perception.training.road_signs.scene_settings import SignSceneSettings
from stn_perception.training.road_signs.unknowns import draw_unknown
from stn_perception.training.scenes.cameras import rotation
from stn_perception.training.scenes.given_box import given_box
from stn_perception.training.scenes.materials import HELD_OUT, TRAINING
from stn_perception.training.view_axes import SQUARE

Points = NDArray[np.float64]
Rgba = NDArray[np.uint8]


# Signs that a robot city's boards carry are drawn this much more often than others.
_BOARD_SIGNS = (*boards.NEED_A_BOARD, "crossroads", "traffic_light", "stop")
_BOARD_WEIGHT = 2.0


@dataclass(frozen=True)
class SignSample:
    """A colour picture with one thing in it.

    Attributes:
        pixels: uint8 H×W×3, RGB.
        corners: float64 4×2, pixels: the artwork's square from its own top-left, clockwise.
        outline: float64 M×2, pixels: convex outline of the artwork.
        box: float64 4: centre x, centre y, width, height of the outline's bounding box, as
            imprecise as a detector's.
        name: class, or ``unknown``.
        symmetry: number of quarter turns (1, 2 or 4) that look alike; 0 where nothing says where
            up is.
        kind: what it is, for tables.
    """

    pixels: NDArray[np.uint8]
    corners: Points
    outline: Points
    box: Points
    name: str
    symmetry: int
    kind: str


def _random_view(rng: np.random.Generator, max_tilt_deg: float) -> NDArray[np.float64]:
    """Return a homography from the sign's axes, y down, to the image plane, turned at random."""
    limit = np.deg2rad(max_tilt_deg)
    tilt = min(abs(rng.normal(0, limit / 3)), limit)
    if rng.random() < 0.5:
        tilt = rng.uniform(0, limit)
    direction, roll = rng.uniform(0, 2 * np.pi, 2)
    if rng.random() < 0.25:
        roll = rng.normal(0, np.deg2rad(8)) + np.pi / 2 * rng.integers(4)
    tilting = rotation(np.array([np.cos(direction), np.sin(direction), 0.0]), tilt)
    turning = tilting @ rotation(np.array([0.0, 0.0, 1.0]), roll)
    distance = float(np.exp(rng.uniform(np.log(3.5), np.log(40))))
    # Off the optical axis a plane is seen at yet another angle.
    offset = rng.uniform(-0.35, 0.35, 2) * distance
    matrix = np.column_stack([turning[:, 0], turning[:, 1], [*offset, distance]])
    return np.asarray(matrix / distance, dtype=np.float64)


def _sees_all(frame_from_sign: NDArray[np.float64]) -> bool:
    """Whether everything a canvas shows lies well before the camera."""
    x, y = (boards.LEFT, boards.RIGHT), (boards.TOP, boards.BOTTOM)
    depths = [frame_from_sign[2] @ (a, b, 1.0) for a in x for b in y]
    return bool(min(depths) > 0.2 * frame_from_sign[2, 2])


def _place(
    rng: np.random.Generator, outline: Points, settings: SignSceneSettings
) -> tuple[NDArray[np.float64], int, int]:
    """Return frame_from_sign in pixels, and the frame's width and height."""
    while True:
        view = _random_view(rng, settings.max_tilt_deg)
        if not _sees_all(view):
            continue
        shape = transform_points(view, outline)
        low, high = np.log(settings.min_side_px), np.log(settings.max_side_px)
        scale = float(np.exp(rng.uniform(low, high))) / np.ptp(shape, axis=0).max()
        extent = np.ptp(shape, axis=0) * scale
        if extent.min() < 0.3 * extent.max() or extent.min() < 7:
            continue
        # A frame of the box's shape, wide enough for a square one about a narrow sign.
        size = np.maximum(extent, 0.6 * extent.max()) * settings.surroundings
        width, height = (int(np.ceil(v)) for v in size)
        middle = np.array([width - 1, height - 1]) / 2 + rng.uniform(-0.5, 0.5, 2)
        centre = (shape.min(axis=0) + shape.max(axis=0)) / 2 * scale
        shift = middle - centre
        into_frame = np.array([(scale, 0, shift[0]), (0, scale, shift[1]), (0, 0, 1.0)])
        return into_frame @ view, width, height


def _layer(
    canvas: Rgba, frame_from_canvas: NDArray[np.float64], width: int, height: int, side: float
) -> NDArray[np.float32]:
    """Warp a canvas into the frame, averaged over its pixels: float32 H×W×4."""
    finer = int(np.clip(np.ceil(2 * boards.HALF_PX * 0.9 / side), 1, 6))
    fine_from_frame = np.array(
        [(finer, 0, (finer - 1) / 2), (0, finer, (finer - 1) / 2), (0, 0, 1.0)]
    )
    fine = cv2.warpPerspective(
        canvas,
        fine_from_frame @ frame_from_canvas,
        (width * finer, height * finer),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    if finer > 1:
        fine = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(fine, dtype=np.float32)


def _neighbour(
    rng: np.random.Generator, held_out: bool, picture: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Put another thing near the frame's edge."""
    height, width = picture.shape[:2]
    materials = HELD_OUT if held_out else TRAINING
    names = class_names()
    _, artwork, _ = draw_unknown(rng, materials, held_out)
    if artwork is None or rng.random() < 0.3:
        designs = signs_of(names[rng.integers(len(names) - 1)])
        artwork = designs[rng.integers(len(designs))].pixels
    side = artwork.shape[0]
    size, angle = rng.uniform(0.15, 0.35) * min(width, height), rng.uniform(0, 2 * np.pi)
    toward = rng.uniform(0, 2 * np.pi)
    centre = np.array([width, height]) * (0.5 + 0.5 * np.array([np.cos(toward), np.sin(toward)]))
    a, b = size / side * np.cos(angle), size / side * np.sin(angle)
    middle = (side - 1) / 2
    matrix = np.array(
        [(a, -b, centre[0] - (a - b) * middle), (b, a, centre[1] - (a + b) * middle)]
    )
    layer = cv2.warpAffine(artwork, matrix, (width, height)).astype(np.float32)
    opacity = layer[..., 3:] / 255
    return np.asarray(picture * (1 - opacity) + layer[..., :3] * opacity, dtype=np.float32)


def _subject(
    rng: np.random.Generator, settings: SignSceneSettings, held_out: bool
) -> tuple[str, str, int, Rgba | None, Points]:
    """Choose what is shown: class, kind, symmetry, canvas and outline."""
    materials = HELD_OUT if held_out else TRAINING
    if rng.random() < settings.unknown_share:
        kind, artwork, outline = draw_unknown(rng, materials, held_out)
        if artwork is None:
            return UNKNOWN, kind, 0, None, outline
        canvas, _ = boards.mounted(rng, materials, UNKNOWN, artwork)
        return UNKNOWN, kind, 0, canvas, outline
    names = class_names()[:-1]
    weights = np.array([_BOARD_WEIGHT if n in _BOARD_SIGNS else 1.0 for n in names])
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    designs = signs_of(name)
    design = designs[rng.integers(len(designs))]
    canvas, has_board = boards.mounted(rng, materials, name, design.pixels)
    return name, "sign", 1 if has_board else design.symmetry, canvas, design.outline


def generate_scene(
    rng: np.random.Generator, settings: SignSceneSettings, held_out: bool
) -> SignSample:
    """Draw one scene.

    Args:
        rng: source of all randomness; the same state gives the same scene.
        settings: ranges to draw from.
        held_out: whether photographs, other artwork, fiducials and shapes are those that
            training never sees.
    """
    materials = HELD_OUT if held_out else TRAINING
    name, kind, symmetry, canvas, outline = _subject(rng, settings, held_out)
    frame_from_sign, width, height = _place(rng, outline, settings)
    corners = transform_points(frame_from_sign, SQUARE)
    shape = transform_points(frame_from_sign, outline)
    side = float(np.ptp(shape, axis=0).max())
    picture = color.background(rng, materials, width, height).astype(np.float32)
    if rng.random() < 0.3:
        picture = _neighbour(rng, held_out, picture)
    if canvas is not None:
        frame_from_canvas = frame_from_sign @ np.linalg.inv(boards.canvas_from_sign())
        layer = _layer(canvas, frame_from_canvas, width, height, side)
        if rng.random() < 0.5:
            picture = picture * np.float32(rng.uniform(0.3, 1.1))
        picture = picture * (1 - layer[..., 3:] / np.float32(255)) + layer[..., :3]
    if rng.random() < settings.occluded_share:
        picture = color.occlude(rng, picture, corners)
    picture = color.lit(rng, picture)
    pixels = color.recorded(rng, picture, side, settings.severity)
    box = given_box(rng, shape, settings.box_jitter)
    return SignSample(pixels, corners, shape, box, name, symmetry, kind)
