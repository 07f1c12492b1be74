# SPDX-License-Identifier: Apache-2.0
"""The whole job without ROS: frames and boxes in, canonical objects out."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.finishing import finish_frames
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import FrameResult, Prediction
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.tracker import Tracker
from stn_perception.runtime.wanted_views import TrackedFrame
from stn_perception.runtime.warp_backend import WarpBackend

# A request, what was predicted for it, and the slots whose views somebody looks at (None: all).
PredictedFrame = tuple[FrameRequest, Prediction, Collection[int] | None]


class _Parts(NamedTuple):
    """What one call uses from its beginning to its end."""

    archive: ModelArchive
    settings: PipelineSettings
    backend: WarpBackend
    canonicalizer: Canonicalizer


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
        return self._parts.archive

    @property
    def settings(self) -> PipelineSettings:
        """The settings in use."""
        return self._parts.settings

    def replace_model(self, archive: ModelArchive) -> None:
        """Use another model from the next call on. Tracks live on."""
        with self._swap:
            self._parts = self._assemble(archive, self._parts.settings)

    def replace_settings(self, settings: PipelineSettings) -> None:
        """Use other settings from the next call on. Tracks live on.

        Raises:
            ValueError: The back end that they name does not exist; the old ones stay.
        """
        with self._swap:
            self._parts = self._assemble(self._parts.archive, settings)

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
        predictions = parts.canonicalizer.predict(requests)
        return self._finish(
            [
                (request, prediction, None if wanted is None else wanted.get(request.camera, ()))
                for request, prediction in zip(requests, predictions, strict=True)
            ],
            parts,
        )

    def predict(self, requests: Sequence[FrameRequest]) -> list[Prediction]:
        """Steps 1-3 of all requests in one batch."""
        return self._parts.canonicalizer.predict(requests)

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
        (result,) = self.finish_in_order([(request, prediction, wanted)])
        return result

    def finish_in_order(self, frames: Sequence[PredictedFrame]) -> list[FrameResult]:
        """Steps 4 and 5 of many frames at once, to the same bits as one by one.

        Args:
            frames: What ``finish`` takes, for any cameras; several frames of one camera in the
                order of time.
        """
        return self._finish(frames, self._parts)

    def _finish(self, frames: Sequence[PredictedFrame], parts: _Parts) -> list[FrameResult]:
        tracked = []
        for request, prediction, wanted in frames:
            started = time.perf_counter()
            views = self._trackers.setdefault(request.camera, Tracker()).update(
                request.frame.stamp_ns,
                prediction.estimates,
                (prediction.view_width, prediction.view_height),
                prediction.symmetry,
                parts.settings,
            )
            stage_s = {**prediction.stage_s, "track": time.perf_counter() - started}
            tracked.append(TrackedFrame(request, prediction, views, wanted, stage_s))
        return finish_frames(tracked, parts.settings, parts.backend)

    def _assemble(self, archive: ModelArchive, settings: PipelineSettings) -> _Parts:
        backend = self._given_backend or get_backend(settings.backend)
        return _Parts(archive, settings, backend, Canonicalizer(archive, settings, backend))
