# SPDX-License-Identifier: Apache-2.0
"""Pictures for people: a frame with its objects drawn in, and all views on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import transform_points
from stn_perception.geometry.quads import view_quad
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.results import CanonicalObject, FrameResult

Picture = NDArray[np.uint8]

_TO_BGR: dict[str, int] = {
    "gray": cv2.COLOR_GRAY2BGR,
    "rgb": cv2.COLOR_RGB2BGR,
    "rgba": cv2.COLOR_RGBA2BGR,
    "bgra": cv2.COLOR_BGRA2BGR,
}
# One colour per slot, in BGR, far apart for the eye (Okabe and Ito 2008).
OBJECT_COLORS = (
    (0, 159, 230),
    (233, 180, 86),
    (115, 158, 0),
    (66, 228, 240),
    (178, 114, 0),
    (0, 94, 213),
    (167, 121, 204),
)
_NO_SLOT_COLOR = (150, 150, 150)
UNCERTAIN_COLOR = (255, 0, 255)
_DASH_PX = 5
_X_COLOR, _Y_COLOR = (60, 60, 255), (60, 220, 60)
_SHEET_COLOR = 32
_LABEL_HEIGHT = 16
_FRACTION_BITS = 4
_FAR_PX = 1e6


def bgr_pixels(pixels: NDArray[np.uint8], color: str) -> Picture:
    """A BGR copy of pixels in any colour order."""
    if color == "bgr":
        return pixels.copy()
    converted: Picture = np.asarray(cv2.cvtColor(pixels, _TO_BGR[color]), dtype=np.uint8)
    return converted


def draw_overlay(frame: Frame, result: FrameResult) -> Picture:
    """The frame in BGR with each view's quad, axes and name.

    The red arrow is the view's x axis, the green one its y axis, both from the view's centre;
    the dot is its top-left corner. A view that is marked as uncertain has a dashed outline in
    ``UNCERTAIN_COLOR`` and a question mark behind its name.
    """
    picture = bgr_pixels(frame.pixels, frame.color)
    thickness = max(1, round(min(frame.width, frame.height) / 360))
    for item in result.objects:
        _draw_object(picture, item, thickness)
    return picture


def draw_mosaic(result: FrameResult, tile_px: int = 160, columns: int = 0) -> Picture:
    """All views of a frame on one BGR sheet, in the order of their slots, with their names.

    Args:
        result: Its objects with pixels are shown; without any, the sheet is one empty tile.
        tile_px: Width of a tile; views are scaled to it.
        columns: Tiles per row; 0 makes the sheet about square.
    """
    shown = [item for item in result.objects if item.view is not None]
    shown.sort(key=lambda item: (item.slot is None, item.slot or 0, item.track_id))
    tiles = [_tile(item, tile_px) for item in shown]
    if not tiles:
        return np.full((tile_px + _LABEL_HEIGHT, tile_px, 3), _SHEET_COLOR, dtype=np.uint8)
    per_row = columns or math.ceil(math.sqrt(len(tiles)))
    tile_height = max(tile.shape[0] for tile in tiles)
    rows = math.ceil(len(tiles) / per_row)
    sheet = np.full((rows * tile_height, per_row * tile_px, 3), _SHEET_COLOR, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // per_row * tile_height, index % per_row * tile_px
        sheet[top : top + tile.shape[0], left : left + tile_px] = tile
    return sheet


def object_label(item: CanonicalObject) -> str:
    """The object's name in a picture: slot, upstream id or track, class, ? where uncertain."""
    slot = "-" if item.slot is None else str(item.slot)
    name = item.region.id or f"t{item.track_id}"
    label = f"{slot} {name} {item.class_id}".rstrip()
    return f"{label} ?" if item.is_uncertain else label


def _draw_object(picture: Picture, item: CanonicalObject, thickness: int) -> None:
    width, height = item.view_width, item.view_height
    quad = view_quad(item.frame_from_view, width, height)
    x, y = (width - 1) / 2, (height - 1) / 2
    ends = np.array([[x, y], [x + width / 4, y], [x, y + height / 4]])
    axes = transform_points(item.frame_from_view, ends)
    if not (np.isfinite(quad).all() and np.isfinite(axes).all()):
        return
    color = _color(item)
    corners = _fixed_point(quad)
    outline = _dashes(quad) if item.is_uncertain else [corners]
    closed = not item.is_uncertain
    cv2.polylines(picture, outline, closed, color, thickness, cv2.LINE_AA, _FRACTION_BITS)
    radius = (2 * thickness) << _FRACTION_BITS
    cv2.circle(picture, _tuple(corners[0]), radius, color, -1, cv2.LINE_AA, _FRACTION_BITS)
    origin, x_end, y_end = (_tuple(point) for point in _fixed_point(axes))
    cv2.arrowedLine(picture, origin, x_end, _X_COLOR, thickness, cv2.LINE_AA, _FRACTION_BITS)
    cv2.arrowedLine(picture, origin, y_end, _Y_COLOR, thickness, cv2.LINE_AA, _FRACTION_BITS)
    top = quad[quad[:, 1].argmin()]
    _write(picture, object_label(item), top[0], top[1] - 4 * thickness, color, thickness)


def _tile(item: CanonicalObject, tile_px: int) -> Picture:
    assert item.view is not None
    view = bgr_pixels(item.view, item.color)
    height = max(1, round(tile_px * view.shape[0] / view.shape[1]))
    shrinks = tile_px < view.shape[1]
    scaled = cv2.resize(
        view,
        (tile_px, height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST,
    )
    label = np.full((_LABEL_HEIGHT, tile_px, 3), _SHEET_COLOR, dtype=np.uint8)
    _write(label, object_label(item), 3, _LABEL_HEIGHT - 4, _color(item), 1)
    return np.concatenate([label, np.asarray(scaled, dtype=np.uint8)])


def _color(item: CanonicalObject) -> tuple[int, int, int]:
    if item.is_uncertain:
        return UNCERTAIN_COLOR
    return _NO_SLOT_COLOR if item.slot is None else OBJECT_COLORS[item.slot % len(OBJECT_COLORS)]


def _dashes(quad: NDArray[np.float64]) -> list[NDArray[np.int32]]:
    """A quad's sides as dashes that begin and end at the corners."""
    dashes = []
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        count = int(np.clip(np.linalg.norm(end - start) / (2 * _DASH_PX), 2, 8))
        points = start + np.linspace(0, 1, 2 * count)[:, None] * (end - start)
        dashes += [_fixed_point(points[i : i + 2]) for i in range(0, len(points), 2)]
    return dashes


def _write(
    picture: Picture, text: str, x: float, y: float, color: Sequence[int], thickness: int
) -> None:
    height, width = picture.shape[:2]
    at = (int(np.clip(x, 0, width - 1)), int(np.clip(y, 10, height - 1)))
    plain = text.encode("ascii", "replace").decode("ascii")  # OpenCV's strokes have no others
    scale = 0.4 * max(1, thickness)
    for stroke, ink in ((thickness + 2, (0, 0, 0)), (thickness, color)):
        cv2.putText(picture, plain, at, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, stroke, cv2.LINE_AA)


def _fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    limited = np.clip(points, -_FAR_PX, _FAR_PX)
    return np.rint(limited * (1 << _FRACTION_BITS)).astype(np.int32)


def _tuple(point: NDArray[np.int32]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
