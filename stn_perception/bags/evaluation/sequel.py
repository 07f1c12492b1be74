# SPDX-License-Identifier: Apache-2.0
"""The half of the pipeline that goes in order: tracking and smoothing, then the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import FrameOutcome
from stn_perception.bags.evaluation.frame_refs import FrameRef
from stn_perception.bags.evaluation.records import FrameRecord, ViewRecord
from stn_perception.bags.truth import match_truths
from stn_perception.geometry import view_quad
from stn_perception.messages.encodings import CHANNELS
from stn_perception.runtime.frame import DepthFrame, Frame
from stn_perception.runtime.pipeline import Pipeline, PredictedFrame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import CanonicalObject, FrameResult

SeenFrame = tuple[FrameRef, FrameOutcome]


@dataclass(frozen=True, eq=False)
class Followed:
    """A frame after tracking: its result without pixels, and its records."""

    ref: FrameRef
    result: FrameResult
    frame: FrameRecord
    views: tuple[ViewRecord, ...]


class Sequel:
    """Follows the objects of one camera in one recording with one model.

    Args:
        bag: Name of the recording, for the records.
        camera: The camera's name.
        model: Label of the model, for the records.
        pipeline: Of the model; its tracks are used by nobody else.
        symmetry: The model's.
    """

    def __init__(
        self, bag: str, camera: str, model: str, pipeline: Pipeline, symmetry: int
    ) -> None:
        self._bag = bag
        self._camera = camera
        self._model = model
        self._pipeline = pipeline
        self._symmetry = symmetry

    def follow(
        self, frames: Sequence[SeenFrame], depths: Mapping[int, DepthFrame]
    ) -> list[Followed]:
        """Track the next frames.

        Args:
            frames: In order, none refused; however they are parted, the result is the same.
            depths: Depth images by the number of their frame.
        """
        followed: list[Followed] = []
        for part in _between_jumps(frames):
            if part[0][0].jumped:
                self._pipeline.reset(self._camera)
            results = self._pipeline.finish_in_order(
                [self._predicted(outcome, depths) for _, outcome in part]
            )
            followed += [
                self._followed(ref, outcome, result)
                for (ref, outcome), result in zip(part, results, strict=True)
            ]
        return followed

    def _predicted(
        self, outcome: FrameOutcome, depths: Mapping[int, DepthFrame]
    ) -> PredictedFrame:
        """What the pipeline finishes, without pixels."""
        depth = depths.get(outcome.number)
        frame = _frame(outcome)
        request = FrameRequest(self._camera, frame, outcome.regions, outcome.intrinsics, depth)
        return request, outcome.predictions[self._model], ()

    def _followed(self, ref: FrameRef, outcome: FrameOutcome, result: FrameResult) -> Followed:
        corners = _corners(result)
        ids = [item.region.id for item in result.objects]
        matches = match_truths(corners, ids, outcome.truths)
        estimates = outcome.predictions[self._model].estimates
        places = {id(estimate.region): estimate.index for estimate in estimates}
        views = tuple(
            self._record(item, quad, outcome, places[id(item.region)], match)
            for item, quad, match in zip(result.objects, corners, matches, strict=True)
        )
        frame = FrameRecord(
            bag=self._bag,
            camera=self._camera,
            model=self._model,
            frame=outcome.number,
            stamp_ns=outcome.stamp_ns,
            boxes=len(outcome.regions),
            views=len(views),
            truths=len(outcome.truths),
            truth_missed=len(outcome.truths) - sum(match is not None for match in matches),
            dropped=dict(Counter(str(drop.reason) for drop in result.dropped)),
        )
        return Followed(ref, result, frame, views)

    def _record(
        self,
        item: CanonicalObject,
        corners: NDArray[np.float64],
        outcome: FrameOutcome,
        place: int,
        match: int | None,
    ) -> ViewRecord:
        truth = None if match is None else outcome.truths[match]
        box = item.region.box
        pose = item.pose
        return ViewRecord(
            bag=self._bag,
            camera=self._camera,
            model=self._model,
            frame=outcome.number,
            stamp_ns=outcome.stamp_ns,
            object_id=item.region.id,
            track_id=item.track_id,
            class_id=item.class_id,
            score=item.score,
            corners=corners,
            box=np.array(
                [box.center_x, box.center_y, box.width, box.height, getattr(box, "angle_rad", 0)]
            ),
            truth_id="" if truth is None else truth.id,
            truth=None if truth is None else truth.corners,
            symmetry=max(self._symmetry, 1 if truth is None else truth.symmetry),
            valid_fraction=item.valid_fraction,
            corner_sigma_px=item.corner_sigma_px,
            is_uncertain=item.is_uncertain,
            distance_m=(
                float(np.linalg.norm(pose.pose.translation))
                if pose is not None and pose.translation_known
                else None
            ),
            sharpness=outcome.sharpness.get(place),
            equivariance_error=outcome.equivariance.get(self._model, _NONE).get(place),
        )


_NONE: Mapping[int, float] = {}


def _between_jumps(frames: Sequence[SeenFrame]) -> Iterator[Sequence[SeenFrame]]:
    """Frames in parts without a jump of time inside."""
    starts = [place for place, (ref, _) in enumerate(frames) if ref.jumped]
    for first, last in pairwise(sorted({0, *starts, len(frames)})):
        yield frames[first:last]


def _corners(result: FrameResult) -> NDArray[np.float64]:
    """N×4×2 px: where the corners of a frame's views lie."""
    if not result.objects:
        return np.empty((0, 4, 2))
    first = result.objects[0]  # all views of a frame have one size
    transforms = np.array([item.frame_from_view for item in result.objects])
    return view_quad(transforms, first.view_width, first.view_height)


def _frame(outcome: FrameOutcome) -> Frame:
    """The frame without its pixels: one byte that stands for all of them; nobody looks at it."""
    channels = CHANNELS[outcome.color]
    shape = (outcome.height, outcome.width) + ((channels,) if channels > 1 else ())
    nothing = np.broadcast_to(np.zeros((), np.uint8), shape)
    return Frame(nothing, outcome.color, outcome.stamp_ns, outcome.frame_id)
