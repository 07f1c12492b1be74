# SPDX-License-Identifier: Apache-2.0
"""One scene: a textured quadrilateral over a background, seen by an imperfect camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.scenes import backgrounds, cameras, degradations, faces, textures
from stn_perception.training.scenes.given_box import given_box
from stn_perception.training.scenes.materials import Materials
from stn_perception.training.scenes.rendering import (
    coverage,
    edge_contrast,
    plane_corners,
    render_plane,
)
from stn_perception.training.scenes.sample import LabelledSample


@dataclass(frozen=True)
class QuadSceneSettings:
    """Ranges a scene is drawn from.

    Attributes:
        min_side_px, max_side_px: the longer side of the object's bounding box, in the frame.
        max_aspect: width over height lies between 1/max_aspect and max_aspect.
        box_jitter: standard deviation of each edge of the given box, as a share of its side.
        surroundings: the frame's size as a multiple of the object's bounding box.
        min_edge_contrast: gray levels by which the picture must change across each edge, in the
            median along it; an object nobody could see teaches nothing.
        extra_grids: share of objects that are made ruled grids beyond those drawn by chance.
        frame_ends: share of pictures that end in black just outside the object.
        frame_ends_in_print: the same share where the object is printed on a larger sheet.
        matched_tones: share of objects on a desk of nearly their own tone, as white cards on a
            white table, whose edges show in part only.
    """

    min_side_px: float = 20.0
    max_side_px: float = 120.0
    max_aspect: float = 3.0
    box_jitter: float = 0.025
    surroundings: float = 1.7
    min_edge_contrast: float = 9.0
    extra_grids: float = 0.0
    frame_ends: float = 0.07
    frame_ends_in_print: float = 0.3
    matched_tones: float = 0.0


def _place(
    rng: np.random.Generator, settings: QuadSceneSettings
) -> tuple[float, NDArray[np.float64], int, int]:
    """Choose the aspect and the corners in a frame of the returned width and height."""
    while True:
        limit = np.log(settings.max_aspect)
        aspect = float(np.exp(rng.uniform(-limit, limit) * (1 if rng.random() < 0.6 else 0.3)))
        projected = cameras.random_projection(rng, aspect)
        if projected is None:
            continue
        low, high = np.log(settings.min_side_px), np.log(settings.max_side_px)
        longest = float(np.exp(rng.uniform(low, high)))
        corners = projected * (longest / np.ptp(projected, axis=0).max())
        extent = np.ptp(corners, axis=0)
        if extent.min() < 8:
            continue
        width, height = (int(np.ceil(v)) for v in extent * settings.surroundings)
        middle = np.array([width - 1, height - 1]) / 2 + rng.uniform(-0.5, 0.5, 2)
        centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
        return aspect, corners - centre + middle, width, height


def generate_scene(
    rng: np.random.Generator, materials: Materials, settings: QuadSceneSettings
) -> LabelledSample:
    """Draw one scene whose object can be seen.

    Args:
        rng: source of all randomness; the same state gives the same scene.
        materials: the photographs, fonts, fiducials and shapes that may appear.
        settings: ranges of size, aspect and box error.

    Returns:
        The picture, the exact corners and the box.
    """
    while True:
        sample = _draw(rng, materials, settings)
        if sample is not None:
            return sample


def _draw(
    rng: np.random.Generator, materials: Materials, settings: QuadSceneSettings
) -> LabelledSample | None:
    """Draw one scene, or None where an edge of the object cannot be seen."""
    _aspect, corners, width, height = _place(rng, settings)
    top, left = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    bottom, right = (
        np.linalg.norm(corners[2] - corners[3]),
        np.linalg.norm(corners[2] - corners[1]),
    )
    # The face is drawn at up to two texels per frame pixel, so that warping does not alias.
    face_width = int(np.clip(1.7 * max(top, bottom), 24, 170))
    face_height = int(np.clip(1.7 * max(left, right), 24, 170))
    if settings.extra_grids > 0 and rng.random() < settings.extra_grids:
        kind, face = "grid", textures.line_grid(rng, materials, face_width, face_height)
    else:
        kind, face = faces.random_face(rng, materials, face_width, face_height)
    background = backgrounds.random_background(rng, materials, width, height)
    if settings.matched_tones > 0 and rng.random() < settings.matched_tones:
        rim = np.concatenate([face[0], face[-1], face[:, 0], face[:, -1]])
        background = backgrounds.desk_of_tone(rng, materials, width, height, float(np.median(rim)))

    in_sheet = rng.random() < (0.85 if kind == "grid" else 0.2)
    pad_x = pad_y = 0
    plane = face
    if in_sheet:
        reach = 0.6
        plane = faces.sheet_around(rng, materials, face, kind, reach)
        pad_x, pad_y = round(face_width * reach), round(face_height * reach)
    frame_from_plane = np.asarray(
        cv2.getPerspectiveTransform(
            plane_corners(face_width, face_height, pad_x, pad_y).astype(np.float32),
            corners.astype(np.float32),
        ),
        dtype=np.float64,
    )
    layer = render_plane(plane, frame_from_plane, width, height)
    picture = background.astype(np.float32)
    if rng.random() < 0.35:
        gain = np.float32(rng.uniform(0.4, 1.2))
        picture = picture * gain
    if in_sheet:
        outline = cv2.perspectiveTransform(
            plane_corners(plane.shape[1], plane.shape[0])[None],
            frame_from_plane.astype(np.float64),
        )[0]
        depth = np.append(outline, np.ones((4, 1)), axis=1) @ np.linalg.inv(frame_from_plane)[2]
        cover = (
            coverage(outline, width, height)
            if (depth > 0).all()
            else np.ones((height, width), np.float32)
        )
    else:
        cover = coverage(corners, width, height)
        if rng.random() < 0.3:
            shift = rng.normal(0, 0.06, 2) * np.ptp(corners, axis=0)
            dark = coverage(corners + shift, width, height)
            shadow = cv2.GaussianBlur(dark, (0, 0), float(rng.uniform(0.5, 4)))
            picture = picture * (1 - np.float32(rng.uniform(0.2, 0.8)) * shadow)
    picture = picture + (layer - picture) * cover
    if rng.random() < 0.22:
        picture = degradations.occlude(rng, picture, corners, background[::-1, ::-1])
    picture = degradations.add_light(rng, picture)
    side = float(np.sqrt(np.prod(np.ptp(corners, axis=0))))
    picture = degradations.blur(rng, picture, side)
    picture = degradations.expose(rng, picture)
    if edge_contrast(np.clip(picture, 0, 255), corners) < settings.min_edge_contrast:
        return None
    box = given_box(rng, corners, settings.box_jitter)
    if rng.random() < 0.05:
        picture = degradations.dark_border(rng, picture)
    pixels = degradations.record(rng, picture)
    if rng.random() < (settings.frame_ends_in_print if in_sheet else settings.frame_ends):
        pixels = degradations.end_frame(rng, pixels, corners)
    if rng.random() < 0.06:
        pixels, corners, box = _truncate(rng, pixels, corners, box)
    return LabelledSample(pixels, corners, box, kind)


def _truncate(
    rng: np.random.Generator,
    pixels: NDArray[np.uint8],
    corners: NDArray[np.float64],
    box: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.float64]]:
    """Let the frame end inside the object, and the box with it."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    axis = int(rng.integers(2))
    cut = round(low[axis] + rng.uniform(-0.1, 0.12) * (high - low)[axis])
    if cut < 1:
        return pixels, corners, box
    shift = np.zeros(2)
    shift[axis] = cut
    kept = pixels[:, cut:] if axis == 0 else pixels[cut:]
    start, end = box[:2] - box[2:] / 2 - shift, box[:2] + box[2:] / 2 - shift
    start = np.maximum(start, -0.5)
    box = np.concatenate([(start + end) / 2, end - start])
    return np.ascontiguousarray(kept), corners - shift, box
