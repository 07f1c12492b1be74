# SPDX-License-Identifier: Apache-2.0
"""Pictures of a recording for people: frames with their quads beside the views cut from them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from stn_perception.bags.recorded_frames import Picture, Quad, RecordedFrame, RecordedView
from stn_perception.runtime.drawing import OBJECT_COLORS

_PAPER = (250, 248, 246)
_INK = (60, 50, 40)


def colors_by_object(frames: Sequence[RecordedFrame]) -> dict[str, tuple[int, int, int]]:
    """One BGR colour for each object of a recording."""
    names = sorted({view.object_id for frame in frames for view in frame.views})
    return {name: OBJECT_COLORS[index % len(OBJECT_COLORS)] for index, name in enumerate(names)}


def overlay(frame: RecordedFrame, colors: dict[str, tuple[int, int, int]]) -> Picture:
    """The frame with the outline of every view, its top edge thick, and the object's name."""
    picture = frame.picture().copy()
    thickness = max(2, picture.shape[0] // 240)
    for view in frame.views:
        color = colors[view.object_id]
        _outline(picture, view.quad, color, thickness)
        # The top edge tells which way is up in the view.
        _line(picture, view.quad[0], view.quad[1], color, 2 * thickness + 1)
    for view in frame.views:
        # Below the object, so as not to cover it.
        lowest = view.quad[view.quad[:, 1].argmax()]
        _name(picture, view.object_id.removeprefix("sign_"), lowest, colors[view.object_id])
    return picture


def framed(view: RecordedView, side_px: int, color: tuple[int, int, int]) -> Picture:
    """A view at a given height with a border in its object's colour."""
    height, width = view.picture.shape[:2]
    size = (max(1, round(side_px * width / height)), side_px)
    shrinks = side_px < height
    scaled = cv2.resize(
        view.picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    border = max(3, side_px // 40)
    return _picture(
        cv2.copyMakeBorder(
            scaled, border, border, border, border, cv2.BORDER_CONSTANT, value=color
        )
    )


def box_crop(frame: RecordedFrame, quad: Quad, side_px: int) -> Picture:
    """What the detector's box holds, made square with the page's paper around it."""
    source = frame.picture()
    height, width = source.shape[:2]
    low = np.maximum(np.floor(quad.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(quad.max(axis=0)) + 1, [width, height]).astype(int)
    square = np.full((side_px, side_px, 3), _PAPER, dtype=np.uint8)
    if (high <= low).any():
        return square
    crop = source[low[1] : high[1], low[0] : high[0]]
    scale = side_px / max(crop.shape[:2])
    size = tuple(int(np.clip(round(n * scale), 1, side_px)) for n in crop.shape[1::-1])
    scaled = cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC)
    top, left = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = scaled
    return square


def side_by_side(
    frame: RecordedFrame, colors: dict[str, tuple[int, int, int]], height_px: int = 480
) -> Picture:
    """The frame with its outlines, and to its right the views in two columns."""
    left = overlay(frame, colors)
    scale = height_px / left.shape[0]
    size = (round(left.shape[1] * scale), height_px)
    left = _picture(cv2.resize(left, size, interpolation=cv2.INTER_AREA))
    rows = 3 if len(frame.views) > 4 else 2
    gap = 10
    side = (height_px - (rows - 1) * gap) // rows
    tiles = [framed(view, side, colors[view.object_id]) for view in frame.views[: 2 * rows]]
    right = np.full((height_px, 2 * side + gap, 3), _PAPER, dtype=np.uint8)
    for index, tile in enumerate(tiles):
        top, at = index // 2 * (side + gap), index % 2 * (side + gap)
        fitted = _picture(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA))
        right[top : top + side, at : at + side] = fitted
    space = np.full((height_px, 2 * gap, 3), _PAPER, dtype=np.uint8)
    return np.hstack([left, space, right])


def jpeg(picture: Picture, quality: int = 85) -> bytes:
    """JPEG bytes."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png(picture: Picture) -> bytes:
    """PNG bytes."""
    return cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])[1].tobytes()


def _outline(picture: Picture, quad: Quad, color: tuple[int, int, int], thickness: int) -> None:
    points = np.rint(np.clip(quad, -1e4, 1e4) * 16).astype(np.int32)
    cv2.polylines(picture, [points], True, color, thickness, cv2.LINE_AA, 4)


def _line(picture: Picture, start: Quad, end: Quad, color: tuple[int, int, int], px: int) -> None:
    a, b = (tuple(int(v) for v in np.rint(np.clip(p, -1e4, 1e4) * 16)) for p in (start, end))
    cv2.line(picture, a, b, color, px, cv2.LINE_AA, 4)


def _name(picture: Picture, text: str, at: Quad, color: tuple[int, int, int]) -> None:
    scale = picture.shape[0] / 900
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    right, bottom = picture.shape[1] - width - 4, picture.shape[0] - 5
    x = int(np.clip(at[0] - width / 2, 4, right))
    y = int(np.clip(at[1] + 2.2 * height, height + 4, bottom))
    cv2.rectangle(picture, (x - 3, y - height - 3), (x + width + 3, y + 4), color, -1)
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, _INK, 1, cv2.LINE_AA)


def _picture(array: object) -> Picture:
    return np.asarray(array, dtype=np.uint8)
