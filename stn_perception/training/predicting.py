# SPDX-License-Identifier: Apache-2.0
"""Many boxes through the runtime's canonicalizer, some at a time, each a frame of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.results import Prediction
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.training.scenes.given_box import as_axis_aligned


class BoxedPicture(Protocol):
    """A labelled sample, as far as a model sees it."""

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The gray picture, H×W."""
        ...

    @property
    def box(self) -> NDArray[np.float64]:
        """Centre x, centre y, width and height in pixels."""
        ...


Boxed = TypeVar("Boxed", bound=BoxedPicture)
Item = TypeVar("Item")


def predicted(
    canonicalizer: Canonicalizer,
    items: Iterable[Item],
    seen: Callable[[Item], tuple[Frame, Region]],
    batch_size: int,
) -> Iterator[tuple[Item, Prediction]]:
    """Predict the view of each item; items are taken as their batch comes.

    Args:
        canonicalizer: what predicts.
        items: in any number.
        seen: the frame of an item and the region to look at.
        batch_size: items per call.
    """
    stream = iter(items)
    while part := list(islice(stream, batch_size)):
        looks = [seen(item) for item in part]
        requests = [FrameRequest(str(i), frame, (at,)) for i, (frame, at) in enumerate(looks)]
        yield from zip(part, canonicalizer.predict(requests), strict=True)


def predicted_samples(
    archive: ModelArchive, samples: Iterable[Boxed], refinement_steps: int, batch_size: int
) -> Iterator[tuple[Boxed, Prediction]]:
    """Predict the view of each labelled sample by its box, however much the view leaves it.

    Args:
        archive: the opened model.
        samples: gray pictures with boxes.
        refinement_steps: how often to refine.
        batch_size: boxes per call.
    """
    settings = PipelineSettings(refinement_steps=refinement_steps, min_valid_fraction=0.0)
    canonicalizer = Canonicalizer(archive, settings, get_backend("opencv"))
    return predicted(canonicalizer, samples, _seen, batch_size)


def _seen(sample: BoxedPicture) -> tuple[Frame, Region]:
    return Frame(sample.pixels, "gray"), Region(as_axis_aligned(sample.box))
