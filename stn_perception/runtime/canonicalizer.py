# SPDX-License-Identifier: Apache-2.0
"""From boxes to canonical views, without memory: crop, predict, compose, refine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.box_rows import box_rows, frames_from_crops
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.archive_errors import ModelError
from stn_perception.runtime.box_check import box_refusals
from stn_perception.runtime.network_output import NetworkOutput
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import DroppedRegion, Prediction, ViewEstimate
from stn_perception.runtime.settings import PipelineSettings, view_size
from stn_perception.runtime.view_check import CheckedViews, ViewRefused, check_views
from stn_perception.runtime.view_estimates import BoxViews, view_estimates
from stn_perception.runtime.warp_backend import InputSample, WarpBackend

Matrix = NDArray[np.float64]
Place = tuple[int, int, Region]


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Usable boxes on their way through the steps.

    Attributes:
        places: Number of the request, place in its regions, and the region, of each.
        rows: The boxes as numbers, N×5.
        frame_sizes: N×2, width and height of their frames in pixels.
        frame_from_crop: N×3×3 in pixels.
    """

    places: list[Place]
    rows: Matrix
    frame_sizes: Matrix
    frame_from_crop: Matrix

    def at(self, kept: NDArray[np.intp]) -> _Candidates:
        """Some of them."""
        return _Candidates(
            [self.places[place] for place in kept.tolist()],
            self.rows[kept],
            self.frame_sizes[kept],
            self.frame_from_crop[kept],
        )

    def moved(self, frame_from_crop: Matrix) -> _Candidates:
        """The same with other crops."""
        return _Candidates(self.places, self.rows, self.frame_sizes, frame_from_crop)


_NO_CANDIDATES = _Candidates([], np.zeros((0, 5)), np.zeros((0, 2)), np.zeros((0, 3, 3)))


@dataclass
class _Batch:
    """The boxes of all requests, and what became of them so far."""

    requests: Sequence[FrameRequest]
    estimates: list[list[ViewEstimate]]
    dropped: list[list[DroppedRegion]]
    stage_s: dict[str, float] = field(
        default_factory=lambda: {"crop": 0.0, "network": 0.0, "compose": 0.0}
    )

    def drop(self, place: Place, reason: DropReason, detail: str) -> None:
        request, index, region = place
        self.dropped[request].append(DroppedRegion(index, region.id, reason, detail))

    def refuse(self, place: Place, refusal: ViewRefused) -> None:
        self.drop(place, refusal.reason, str(refusal))


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
        self._crop_from_normalized = pixel_from_normalized(*self._input_size)
        self._normalized_from_view = normalized_from_pixel(*self._view_size)
        margin = archive.card.refinement_margin
        # The view enlarged about its centre, as the next crop of the frame itself.
        self._view_from_next_crop = (
            pixel_from_normalized(*self._view_size)
            @ np.diag([margin, margin, 1.0])
            @ normalized_from_pixel(*self._input_size)
        )

    @property
    def refinement_steps(self) -> int:
        """How often the transform is refined."""
        wanted = self._settings.refinement_steps
        return self._card.refinement_steps if wanted < 0 else wanted

    def predict(self, requests: Sequence[FrameRequest]) -> list[Prediction]:
        """One prediction per request; all boxes of all requests share the network's batches."""
        started = time.perf_counter()
        batch = _Batch(requests, [[] for _ in requests], [[] for _ in requests])
        candidates = self._usable_boxes(batch)
        batch.stage_s["compose"] += time.perf_counter() - started
        for step in range(self.refinement_steps + 1):
            if candidates.places:
                candidates = self._step(batch, candidates, step == self.refinement_steps)
        return [self._prediction(batch, number) for number in range(len(requests))]

    def _usable_boxes(self, batch: _Batch) -> _Candidates:
        limit, card = self._settings.max_boxes, self._card
        places: list[Place] = []
        for number, request in enumerate(batch.requests):
            for index, region in enumerate(request.regions):
                if isinstance(region, RejectedRegion):
                    batch.dropped[number].append(
                        DroppedRegion(index, region.id, region.reason, region.message)
                    )
                elif index >= limit:
                    text = f"box {index} is beyond the limit of {limit}"
                    batch.drop((number, index, region), DropReason.TOO_MANY_BOXES, text)
                else:
                    places.append((number, index, region))
        frames = [(r.frame.width, r.frame.height) for r in batch.requests]
        rows = box_rows([region.box for _, _, region in places])
        sizes = np.array([frames[number] for number, _, _ in places], float).reshape(-1, 2)
        refusals = box_refusals([region.box for _, _, region in places], rows, sizes)
        for place, refusal in refusals.items():
            batch.refuse(places[place], refusal)
        if refusals:
            kept = [place for place in range(len(places)) if place not in refusals]
            places, rows, sizes = [places[place] for place in kept], rows[kept], sizes[kept]
        crops = frames_from_crops(rows, card.box_margin, *self._input_size, card.crop_shape)
        return _Candidates(places, rows, sizes, crops)

    def _step(self, batch: _Batch, candidates: _Candidates, is_last: bool) -> _Candidates:
        """Sample every crop, run the network once, compose: the next crops or the estimates."""
        started = time.perf_counter()
        samples = [
            InputSample(batch.requests[place[0]].frame, crop)
            for place, crop in zip(candidates.places, candidates.frame_from_crop, strict=True)
        ]
        inputs = self._backend.sample_inputs(samples, *self._input_size, self._card.channels)
        sampled = time.perf_counter()
        batch.stage_s["crop"] += sampled - started
        try:
            output = self._archive.predict(inputs)
        except ModelError as error:
            for place in candidates.places:
                batch.drop(place, DropReason.MODEL_ERROR, str(error))
            return _NO_CANDIDATES
        predicted = time.perf_counter()
        batch.stage_s["network"] += predicted - sampled
        remaining = self._compose(batch, candidates, output, is_last)
        batch.stage_s["compose"] += time.perf_counter() - predicted
        return remaining

    def _compose(
        self, batch: _Batch, candidates: _Candidates, output: NetworkOutput, is_last: bool
    ) -> _Candidates:
        crop_from_view = self._crop_from_normalized @ output.theta @ self._normalized_from_view
        checked = check_views(
            candidates.frame_from_crop @ crop_from_view,
            self._view_size,
            candidates.frame_sizes,
            self._settings.min_valid_fraction,
        )
        if checked.refusals:
            for place, refusal in checked.refusals.items():
                batch.refuse(candidates.places[place], refusal)
            kept = np.array(
                [place for place in range(len(output)) if place not in checked.refusals], np.intp
            )
            candidates = candidates.at(kept)
            crop_from_view, output = crop_from_view[kept], output.at(kept)
            checked = checked.at(kept)
        if not is_last:
            return candidates.moved(checked.frame_from_view @ self._view_from_next_crop)
        if candidates.places:
            self._estimate(batch, candidates, crop_from_view, checked, output)
        return _NO_CANDIDATES

    def _estimate(
        self,
        batch: _Batch,
        candidates: _Candidates,
        crop_from_view: Matrix,
        checked: CheckedViews,
        output: NetworkOutput,
    ) -> None:
        boxes = BoxViews(
            indices=[index for _, index, _ in candidates.places],
            regions=[region for _, _, region in candidates.places],
            rows=candidates.rows,
            frame_sizes=candidates.frame_sizes,
            frame_from_crop=candidates.frame_from_crop,
            crop_from_view=crop_from_view,
            frame_from_view=checked.frame_from_view,
            corners=checked.corners,
        )
        outcomes = view_estimates(boxes, output, self._card, self._settings)
        for place, outcome in zip(candidates.places, outcomes, strict=True):
            if isinstance(outcome, ViewRefused):
                batch.refuse(place, outcome)
            else:
                batch.estimates[place[0]].append(outcome)

    def _prediction(self, batch: _Batch, number: int) -> Prediction:
        width, height = self._view_size
        return Prediction(
            view_width=width,
            view_height=height,
            symmetry=self._card.symmetry,
            object_size_m=self._card.object_size_m | self._settings.object_size_m,
            estimates=tuple(batch.estimates[number]),
            dropped=tuple(sorted(batch.dropped[number], key=lambda drop: drop.index)),
            stage_s=dict(batch.stage_s),
        )
