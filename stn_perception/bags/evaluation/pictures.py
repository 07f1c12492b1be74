# SPDX-License-Identifier: Apache-2.0
"""Pictures of single views: where they lie in their frame, and what they show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import BagSource
from stn_perception.bags.evaluation.frame_reading import read_frames
from stn_perception.bags.evaluation.frame_refs import FrameRef
from stn_perception.bags.evaluation.records import ViewRecord
from stn_perception.bags.evaluation.worker_state import prepare_process, reader_of
from stn_perception.bags.opening import CameraTopics
from stn_perception.geometry.quads import frame_from_view_of_quad
from stn_perception.runtime.drawing import bgr_pixels
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.warp_opencv import OpenCvBackend

Picture = NDArray[np.uint8]

_OVERLAY_PX = 320
_VIEW_PX = 160
_AROUND = 1.5
_PREDICTED_BGR = (80, 200, 60)
_TRUE_BGR = (230, 90, 220)
_FINE = 4  # bits of a pixel that OpenCV draws to


class ViewPictures(NamedTuple):
    """A view's place in its frame (predicted outline green, true one pink), and the view; BGR."""

    overlay: Picture
    view: Picture


@dataclass(frozen=True, eq=False)
class PictureTask:
    """Views of one camera that are to be drawn.

    Attributes:
        bag, topics, infos, parameters: As of ``ChunkTask``.
        frames: Where the views are.
        records: The views.
    """

    bag: BagSource
    topics: CameraTopics
    infos: tuple[bytes, ...]
    parameters: NodeParameters
    frames: tuple[FrameRef, ...]
    records: tuple[ViewRecord, ...]


def draw_views(task: PictureTask) -> list[ViewPictures]:
    """Read and draw the views of a task, in its order; any process may do it."""
    prepare_process()
    reader = reader_of(task.bag)
    frames: dict[int, Frame] = {}
    for ref in task.frames:  # far from each other: what lies between is not read
        (read,) = read_frames(reader, task.topics, [ref], task.infos, task.parameters)
        assert read.request is not None  # there are views of it
        frames[ref.number] = read.request.frame
    return [view_pictures(record, frames[record.frame]) for record in task.records]


def view_pictures(record: ViewRecord, frame: Frame) -> ViewPictures:
    """Draw one view.

    Args:
        record: The view.
        frame: Its frame.
    """
    frame_from_view = frame_from_view_of_quad(record.corners, _VIEW_PX, _VIEW_PX)
    view = OpenCvBackend().warp_view(frame, frame_from_view, _VIEW_PX, _VIEW_PX, "linear", True)
    return ViewPictures(_overlay(record, frame), bgr_pixels(view, frame.color))


def _overlay(record: ViewRecord, frame: Frame) -> Picture:
    outlines = [record.corners] if record.truth is None else [record.corners, record.truth]
    points = np.concatenate(outlines)
    center = (points.min(axis=0) + points.max(axis=0)) / 2
    side = max(16.0, _AROUND * float(np.ptp(points, axis=0).max()))
    scale = _OVERLAY_PX / side
    shift = np.array([(_OVERLAY_PX - 1) / 2] * 2) - scale * center
    picture_from_frame = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    cut = cv2.warpAffine(
        bgr_pixels(frame.pixels, frame.color),
        picture_from_frame,
        (_OVERLAY_PX, _OVERLAY_PX),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )
    picture = np.asarray(cut, dtype=np.uint8)
    if record.truth is not None:
        _draw(picture, scale * record.truth + shift, _TRUE_BGR)
    _draw(picture, scale * record.corners + shift, _PREDICTED_BGR)
    return picture


def _draw(picture: Picture, quad: NDArray[np.float64], color: tuple[int, int, int]) -> None:
    """The outline, its upper side thicker."""
    fixed = np.round(quad * 2**_FINE).astype(np.int32)
    cv2.polylines(picture, [fixed], True, color, 1, cv2.LINE_AA, _FINE)
    first, second = (tuple(int(v) for v in fixed[place]) for place in (0, 1))
    cv2.line(picture, first, second, color, 3, cv2.LINE_AA, _FINE)
