# SPDX-License-Identifier: Apache-2.0
"""From boxes to canonical views, without memory: crop, predict, compose, refine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.boxes import frame_from_crop
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.archive_errors import ModelError
from stn_perception.runtime.network_output import NetworkOutput
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import DroppedRegion, Prediction, ViewEstimate
from stn_perception.runtime.settings import PipelineSettings, view_size
from stn_perception.runtime.view_check import ViewRefused, check_view
from stn_perception.runtime.view_coverage import valid_fraction
from stn_perception.runtime.view_estimates import view_estimate
from stn_perception.runtime.warp_backend import InputSample, WarpBackend

Matrix = NDArray[np.float64]


@dataclass
class _Candidate:
    """A usable box on its way through the steps."""

    request: int
    index: int
    region: Region
    frame_from_crop: Matrix


@dataclass
class _Batch:
    """The boxes of all requests, and what became of them so far."""

    requests: Sequence[FrameRequest]
    alive: list[_Candidate] = field(default_factory=list)
    estimates: list[tuple[int, ViewEstimate]] = field(default_factory=list)
    dropped: list[tuple[int, DroppedRegion]] = field(default_factory=list)
    stage_s: dict[str, float] = field(
        default_factory=lambda: {"crop": 0.0, "network": 0.0, "compose": 0.0}
    )

    def drop(self, request: int, index: int, id: str, reason: DropReason, detail: str) -> None:
        self.dropped.append((request, DroppedRegion(index, id, reason, detail)))


class Canonicalizer:
    """Steps 1-3 of the pipeline. It keeps nothing between calls.

    Args:
        archive: The opened model.
        settings: The pipeline's settings.
        backend: What samples the frames.
    """

    def __init__(
        self, archive: ModelArchive, settings: PipelineSettings, backend: WarpBackend
    ) -> None:
        self._archive = archive
        self._card = archive.card
        self._settings = settings
        self._backend = backend
        self._input_size = (archive.card.input_width, archive.card.input_height)
        self._view_size = view_size(settings, archive.card)

    @property
    def refinement_steps(self) -> int:
        """How often the transform is refined."""
        wanted = self._settings.refinement_steps
        return self._card.refinement_steps if wanted < 0 else wanted

    def predict(self, requests: Sequence[FrameRequest]) -> list[Prediction]:
        """One prediction per request; all boxes of all requests share the network's batches."""
        batch = _Batch(requests)
        for number, request in enumerate(requests):
            self._take_boxes(batch, number, request)
        for step in range(self.refinement_steps + 1):
            if batch.alive:
                self._step(batch, is_last=step == self.refinement_steps)
        return [self._prediction(batch, number) for number in range(len(requests))]

    def _take_boxes(self, batch: _Batch, number: int, request: FrameRequest) -> None:
        limit = self._settings.max_boxes
        for index, region in enumerate(request.regions):
            if isinstance(region, RejectedRegion):
                batch.drop(number, index, region.id, region.reason, region.message)
            elif index >= limit:
                text = f"box {index} is beyond the limit of {limit}"
                batch.drop(number, index, region.id, DropReason.TOO_MANY_BOXES, text)
            else:
                try:
                    crop = self._first_crop(request, region)
                except ViewRefused as refusal:
                    batch.drop(number, index, region.id, refusal.reason, str(refusal))
                else:
                    batch.alive.append(_Candidate(number, index, region, crop))

    def _first_crop(self, request: FrameRequest, region: Region) -> Matrix:
        box, card, frame = region.box, self._card, request.frame
        values = (box.center_x, box.center_y, box.width, box.height, box.angle_rad)
        if not np.isfinite(values).all():
            raise ViewRefused(DropReason.NOT_FINITE, f"the box {box} is not finite")
        if box.width <= 0 or box.height <= 0:
            raise ViewRefused(DropReason.ZERO_AREA, f"the box {box} has no area")
        own = frame_from_crop(box, 1.0, *self._input_size, "stretch")
        if valid_fraction(own, *self._input_size, frame.width, frame.height) <= 0:
            raise ViewRefused(
                DropReason.OUTSIDE_FRAME,
                f"the box {box} lies outside the frame of {frame.width}×{frame.height}",
            )
        return frame_from_crop(box, card.box_margin, *self._input_size, card.crop_shape)

    def _step(self, batch: _Batch, is_last: bool) -> None:
        """Sample every crop, run the network once, compose: the next crops or the estimates."""
        card, candidates = self._card, batch.alive
        batch.alive = []
        started = time.perf_counter()
        samples = [
            InputSample(batch.requests[c.request].frame, c.frame_from_crop) for c in candidates
        ]
        inputs = self._backend.sample_inputs(samples, *self._input_size, card.channels)
        sampled = time.perf_counter()
        batch.stage_s["crop"] += sampled - started
        try:
            output = self._archive.predict(inputs)
        except ModelError as error:
            for c in candidates:
                batch.drop(c.request, c.index, c.region.id, DropReason.MODEL_ERROR, str(error))
            return
        predicted = time.perf_counter()
        batch.stage_s["network"] += predicted - sampled
        for place, c in enumerate(candidates):
            try:
                self._compose(batch, c, output, place, is_last)
            except ViewRefused as refusal:
                batch.drop(c.request, c.index, c.region.id, refusal.reason, str(refusal))
        batch.stage_s["compose"] += time.perf_counter() - predicted

    def _compose(
        self,
        batch: _Batch,
        candidate: _Candidate,
        output: NetworkOutput,
        place: int,
        is_last: bool,
    ) -> None:
        frame = batch.requests[candidate.request].frame
        crop_from_view = (
            pixel_from_normalized(*self._input_size)
            @ output.theta[place]
            @ normalized_from_pixel(*self._view_size)
        )
        frame_from_view = check_view(
            candidate.frame_from_crop @ crop_from_view,
            self._view_size,
            (frame.width, frame.height),
            self._settings.min_valid_fraction,
        )
        if is_last:
            matrices = (candidate.frame_from_crop, frame_from_view)
            estimate = view_estimate(
                candidate.index,
                candidate.region,
                matrices,
                output,
                place,
                self._card,
                self._settings,
                (frame.width, frame.height),
            )
            batch.estimates.append((candidate.request, estimate))
        else:
            candidate.frame_from_crop = self._refined_crop(frame_from_view)
            batch.alive.append(candidate)

    def _refined_crop(self, frame_from_view: Matrix) -> Matrix:
        """The view enlarged about its centre, as the next crop of the frame itself."""
        margin = self._card.refinement_margin
        return (
            frame_from_view
            @ pixel_from_normalized(*self._view_size)
            @ np.diag([margin, margin, 1.0])
            @ normalized_from_pixel(*self._input_size)
        )

    def _prediction(self, batch: _Batch, number: int) -> Prediction:
        width, height = self._view_size
        dropped = [drop for request, drop in batch.dropped if request == number]
        return Prediction(
            view_width=width,
            view_height=height,
            symmetry=self._card.symmetry,
            object_size_m=self._card.object_size_m | self._settings.object_size_m,
            estimates=tuple(e for request, e in batch.estimates if request == number),
            dropped=tuple(sorted(dropped, key=lambda drop: drop.index)),
            stage_s=dict(batch.stage_s),
        )
