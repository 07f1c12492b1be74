# SPDX-License-Identifier: Apache-2.0
"""A piece of work that can be done anywhere, and what comes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from stn_perception.bags.evaluation.frame_refs import FrameRef
from stn_perception.bags.evaluation.plain import register
from stn_perception.bags.opening import CameraTopics
from stn_perception.bags.truth import FrameTruth, TrueObject
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.encodings import ColorOrder
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.results import Prediction


@dataclass(frozen=True)
class ModelChoice:
    """A model of the run: its label, the archive's path and the SHA-256 of the file."""

    label: str
    path: str
    sha256: str


@dataclass(frozen=True)
class BagSource:
    """How a worker opens a recording: where it is, what it holds, where copies may lie."""

    uri: str
    sha256: str
    cache: str


@dataclass(frozen=True)
class WarpProbe:
    """How often, and by how much, crops are turned to see whether the views stay.

    Attributes:
        every: Of so many frames one is probed; 0 for none.
        angle_rad: Crops are turned by up to this, either way.
    """

    every: int
    angle_rad: float


@dataclass(frozen=True, eq=False)
class ChunkTask:
    """Consecutive frames of one camera, and all that is needed to predict their views.

    Attributes:
        bag: The recording.
        topics: The camera's.
        frames: In order.
        infos: The camera's distinct CameraInfo messages.
        models: What to run on each frame.
        parameters: The node's.
        boxes_from_truth: Whether the true objects give the boxes.
        truth: Where the truth comes from.
        probe: Of synthetic warps.
        batch_frames: Frames that go through the network at once.
    """

    bag: BagSource
    topics: CameraTopics
    frames: tuple[FrameRef, ...]
    infos: tuple[bytes, ...]
    models: tuple[ModelChoice, ...]
    parameters: NodeParameters
    boxes_from_truth: bool
    truth: FrameTruth
    probe: WarpProbe
    batch_frames: int


@register
@dataclass(frozen=True, eq=False)
class FrameOutcome:
    """What became of a frame before tracking.

    Attributes:
        number: Of the frame in its camera.
        refused: Reason and sentence where the frame could not be used; the rest is empty then.
        stamp_ns, frame_id, width, height, color: The image's.
        regions: Boxes looked at.
        intrinsics: Of the image, or None.
        truths: True objects in it.
        sharpness: By place of the region.
        predictions: By label of the model.
        equivariance: Error as a share of the side by place of the region, by label of the model.
    """

    number: int
    refused: tuple[str, str] | None = None
    stamp_ns: int = 0
    frame_id: str = ""
    width: int = 0
    height: int = 0
    color: ColorOrder = "rgb"
    regions: tuple[Region | RejectedRegion, ...] = ()
    intrinsics: PinholeIntrinsics | None = None
    truths: tuple[TrueObject, ...] = ()
    sharpness: Mapping[int, float] = field(default_factory=dict)
    predictions: Mapping[str, Prediction] = field(default_factory=dict)
    equivariance: Mapping[str, Mapping[int, float]] = field(default_factory=dict)


def run_identity(
    bag: BagSource,
    topics: CameraTopics,
    models: tuple[ModelChoice, ...],
    settings: Mapping[str, object],
) -> str:
    """SHA-256 over all that decides a camera's chunk results but the frames themselves.

    Args:
        bag: The recording.
        topics: The camera's.
        models: By label, in order.
        settings: Everything else, as JSON values.
    """
    content = {
        "bag": bag.sha256,
        "topics": vars(topics),
        "models": [[model.label, model.sha256] for model in models],
        "settings": settings,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
