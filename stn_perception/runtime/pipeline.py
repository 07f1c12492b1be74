# SPDX-License-Identifier: Apache-2.0
"""The whole job without ROS: frames and boxes in, canonical objects out."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence

from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.finishing import finish_object
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import (
    CanonicalObject,
    DroppedRegion,
    FrameResult,
    Prediction,
)
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.tracker import Tracker
from stn_perception.runtime.warp_backend import WarpBackend


class Pipeline:
    """Five steps: crop, predict, refine (without memory), then track and warp, per camera.

    ``process`` does them all. ``predict`` and ``finish`` are its halves, for offline work that is
    cut anywhere: predictions depend on their requests alone; ``finish`` must be called in the
    order of each camera's frames. Same input, same batches and same number of threads give the
    same bits.

    Model and settings may be replaced between calls from any thread; a call that runs keeps
    those it began with.

    Args:
        archive: The opened model.
        settings: Defaults if None.
        backend: What samples frames; by ``settings.backend`` if None.
    """

    def __init__(
        self,
        archive: ModelArchive,
        settings: PipelineSettings | None = None,
        backend: WarpBackend | None = None,
    ) -> None:
        self._given_backend = backend
        self._swap = threading.Lock()
        self._parts = self._assemble(archive, settings or PipelineSettings())
        self._trackers: dict[str, Tracker] = {}

    @property
    def archive(self) -> ModelArchive:
        """The model in use."""
        return self._parts[0]

    @property
    def settings(self) -> PipelineSettings:
        """The settings in use."""
        return self._parts[1]

    def replace_model(self, archive: ModelArchive) -> None:
        """Use another model from the next call on. Tracks live on."""
        with self._swap:
            self._parts = self._assemble(archive, self._parts[1])

    def replace_settings(self, settings: PipelineSettings) -> None:
        """Use other settings from the next call on. Tracks live on.

        Raises:
            ValueError: The back end that they name does not exist; the old ones stay.
        """
        with self._swap:
            self._parts = self._assemble(self._parts[0], settings)

    def reset(self, camera: str | None = None) -> None:
        """Forget the tracks of one camera, or of all. Track numbers go on."""
        for name, tracker in self._trackers.items():
            if camera is None or name == camera:
                tracker.reset()

    def process(
        self,
        requests: Sequence[FrameRequest],
        wanted: Mapping[str, Collection[int]] | None = None,
    ) -> list[FrameResult]:
        """One result per request, in order.

        Args:
            requests: Frames of any cameras; several of one camera in the order of time.
            wanted: Slots per camera whose views somebody looks at; None for every slot of
                every camera. Objects are tracked and reported either way.
        """
        parts = self._parts
        return [
            self._finish(
                request,
                prediction,
                None if wanted is None else wanted.get(request.camera, ()),
                parts,
            )
            for request, prediction in zip(
                requests, Canonicalizer(*parts).predict(requests), strict=True
            )
        ]

    def predict(self, requests: Sequence[FrameRequest]) -> list[Prediction]:
        """Steps 1-3 of all requests in one batch."""
        return Canonicalizer(*self._parts).predict(requests)

    def finish(
        self,
        request: FrameRequest,
        prediction: Prediction,
        wanted: Collection[int] | None = None,
    ) -> FrameResult:
        """Steps 4 and 5 of one frame.

        Args:
            request: The frame.
            prediction: What ``predict`` gave for it.
            wanted: Slots whose views somebody looks at; None for all.
        """
        return self._finish(request, prediction, wanted, self._parts)

    def _finish(
        self,
        request: FrameRequest,
        prediction: Prediction,
        wanted: Collection[int] | None,
        parts: tuple[ModelArchive, PipelineSettings, WarpBackend],
    ) -> FrameResult:
        _, settings, backend = parts
        started = time.perf_counter()
        tracker = self._trackers.setdefault(request.camera, Tracker())
        tracked = tracker.update(
            request.frame.stamp_ns,
            prediction.estimates,
            (prediction.view_width, prediction.view_height),
            prediction.symmetry,
            settings,
        )
        stage_s = dict(prediction.stage_s)
        stage_s |= {"track": time.perf_counter() - started, "pose": 0.0, "warp": 0.0}
        objects: list[CanonicalObject] = []
        dropped = list(prediction.dropped)
        for view in tracked:
            try:
                objects.append(
                    finish_object(request, prediction, view, wanted, settings, backend, stage_s)
                )
            except InvalidTransformError as error:
                index, id = view.estimate.index, view.estimate.region.id
                reason = DropReason.INVALID_TRANSFORM
                dropped.append(DroppedRegion(index, id, reason, str(error)))
        return FrameResult(
            camera=request.camera,
            stamp_ns=request.frame.stamp_ns,
            frame_id=request.frame.frame_id,
            width=request.frame.width,
            height=request.frame.height,
            objects=tuple(objects),
            dropped=tuple(sorted(dropped, key=lambda drop: drop.index)),
            stage_s=stage_s,
            intrinsics=request.intrinsics,
        )

    def _assemble(
        self, archive: ModelArchive, settings: PipelineSettings
    ) -> tuple[ModelArchive, PipelineSettings, WarpBackend]:
        return archive, settings, self._given_backend or get_backend(settings.backend)
