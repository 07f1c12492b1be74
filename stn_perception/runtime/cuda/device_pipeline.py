# SPDX-License-Identifier: Apache-2.0
"""From frames and boxes to views without a word from the host in between.

Crop, predict, compose, refine and warp of ``Pipeline`` in one CUDA graph, from pinned memory to
pinned memory. It judges nothing and remembers nothing: whether a view may be published
(``view_check``), what a box adds to a prediction (``box_sigma``), tracks, slots and poses stay
with the caller, who gets the exact transforms, valid fractions and the network's outputs for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.cuda import plan_layout as layout
from stn_perception.runtime.cuda.batch_steps import BatchShape, BatchSteps
from stn_perception.runtime.cuda.crops import frame_from_crops
from stn_perception.runtime.cuda.frame_store import FrameStore
from stn_perception.runtime.cuda.frame_table import frame_row
from stn_perception.runtime.cuda.graphs import ReplayedSteps, new_pool
from stn_perception.runtime.cuda.parameters import Parameters
from stn_perception.runtime.cuda.streams import new_stream
from stn_perception.runtime.devices import reproducible_inference
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.settings import PipelineSettings, view_size


@dataclass(frozen=True, eq=False)
class BoxedFrame:
    """A frame and what to look at in it.

    Attributes:
        frame: The image; ``frame_id`` says which camera's copy stream it takes.
        boxes: N×5: centre x and y, width and height in pixels, angle in radians.
    """

    frame: Frame
    boxes: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DeviceViews:
    """What came back, in the order of the boxes. Pinned memory: valid until the next call.

    Attributes:
        views: uint8 height×width or height×width×C each, in their frames' colour orders.
        frame_from_view: float64 N×3×3 in pixels, w > 0 at the view's centre; zero with w = -1
            where the prediction is not finite.
        valid_fraction: float64 N.
        outputs: The network's outputs by name, N×….
    """

    views: list[NDArray[np.uint8]]
    frame_from_view: NDArray[np.float64]
    valid_fraction: NDArray[np.float64]
    outputs: dict[str, NDArray[np.float32]]


class DevicePipeline:
    """The device's part of the pipeline, prepared for some batch sizes.

    A call takes the smallest prepared batch that holds its boxes; the rest of it shows nothing.

    Args:
        archive: The opened model, on the device that computes.
        settings: View size, interpolation, antialiasing and refinement are followed.
        batch_sizes: The batches to prepare.
        max_frames: Frames in one call.
        view_channels: The most channels that a frame has.
    """

    def __init__(
        self,
        archive: ModelArchive,
        settings: PipelineSettings,
        batch_sizes: Iterable[int],
        max_frames: int = 4,
        view_channels: int = 3,
    ) -> None:
        self._archive = archive
        self._sizes = sorted(set(batch_sizes))
        if not self._sizes or self._sizes[0] < 1:
            raise ValueError(f"the batch sizes are {self._sizes}, expected at least one, all >= 1")
        device = archive.device
        self._device = device
        self._shape = batch_shape(archive, settings, view_channels)
        self._stream = new_stream(device)
        self.store = FrameStore(device, self._stream)
        self._parameters = Parameters(max_frames, self._sizes[-1], device)
        pool = new_pool(device)
        self._steps: dict[int, BatchSteps] = {}
        self._replays: dict[int, ReplayedSteps] = {}
        with reproducible_inference(device):
            for size in self._sizes:
                # The archive normalises before its network; here the sampling kernel does.
                steps = BatchSteps(self._shape, archive._network, size, self._parameters, device)
                self._steps[size] = steps
                self._replays[size] = ReplayedSteps(steps.run, self._stream, pool)

    def run(self, boxed: Sequence[BoxedFrame]) -> DeviceViews:
        """Bring the frames to the device, compute, and wait for the views.

        Raises:
            ValueError: More boxes, frames or channels than were prepared, or a box without area.
        """
        self.store.stage([item.frame for item in boxed])
        return self.run_staged(boxed)

    def run_staged(self, boxed: Sequence[BoxedFrame], upload_again: bool = False) -> DeviceViews:
        """``run`` for frames that lie in pinned memory (``store.stage``) already.

        Args:
            boxed: Frames and boxes.
            upload_again: Copy also frames that the device has (to measure it).
        """
        frames = [item.frame for item in boxed]
        numbers = np.repeat(np.arange(len(boxed)), [len(item.boxes) for item in boxed])
        steps, replay = self._batch(len(numbers))
        shape = self._shape
        for frame in frames:
            if frame.channels > shape.view_channels:
                raise ValueError(
                    f"a frame has {frame.channels} channels, expected at most the "
                    f"{shape.view_channels} that were prepared"
                )
        rows = [frame_row(*entry) for entry in self.store.upload(frames, upload_again)]
        crops = (
            frame_from_crops(
                np.concatenate([item.boxes for item in boxed]),
                self._archive.card.box_margin,
                shape.input_width,
                shape.input_height,
                self._archive.card.crop_shape,
            )
            if len(numbers)
            else np.zeros((0, 3, 3))
        )
        offsets = np.arange(self._parameters.max_views) * shape.view_bytes
        self._parameters.write(rows, numbers.tolist(), crops, offsets)
        with reproducible_inference(self._device):
            replay.launch()
        if self._stream is not None:
            with torch.cuda.stream(self._stream):
                self._parameters.sent()
        self.store.done(frames)
        if self._stream is not None:
            self._stream.synchronize()
        return self._views(steps, [frames[number] for number in numbers])

    def _batch(self, boxes: int) -> tuple[BatchSteps, ReplayedSteps]:
        for size in self._sizes:
            if boxes <= size:
                return self._steps[size], self._replays[size]
        raise ValueError(
            f"{boxes} boxes were given, expected at most {self._sizes[-1]}, the largest batch "
            "that was prepared"
        )

    def _views(self, steps: BatchSteps, frames: Sequence[Frame]) -> DeviceViews:
        shape, count = self._shape, len(frames)
        memory = steps.host_views.numpy()
        exact = steps.host_exact.numpy()[:count]
        size = (shape.view_height, shape.view_width)
        views = []
        for place, frame in enumerate(frames):
            start = place * shape.view_bytes
            pixels = memory[start : start + size[0] * size[1] * frame.channels]
            views.append(pixels.reshape(*size, *frame.pixels.shape[2:]))
        outputs = {name: values.numpy()[:count] for name, values in steps.host_outputs.items()}
        return DeviceViews(
            views=views,
            frame_from_view=exact[:, :9].reshape(-1, 3, 3),
            valid_fraction=exact[:, layout.VALID_FRACTION],
            outputs=outputs,
        )


def batch_shape(
    archive: ModelArchive, settings: PipelineSettings, view_channels: int
) -> BatchShape:
    """What model and settings say about a batch."""
    card = archive.card
    width, height = view_size(settings, card)
    wanted = settings.refinement_steps
    return BatchShape(
        input_width=card.input_width,
        input_height=card.input_height,
        channels=card.channels,
        mean=tuple(card.mean),
        std=tuple(card.std),
        view_width=width,
        view_height=height,
        view_channels=view_channels,
        refinement_steps=card.refinement_steps if wanted < 0 else wanted,
        refinement_margin=card.refinement_margin,
        interpolation=settings.interpolation,
        antialias=settings.antialias,
    )
