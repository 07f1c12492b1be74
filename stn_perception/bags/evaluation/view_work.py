# SPDX-License-Identifier: Apache-2.0
"""The last step over one chunk: warp the tracked views, compare them, make messages of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.evaluation.chunk import BagSource, ModelChoice
from stn_perception.bags.evaluation.frame_reading import read_frames
from stn_perception.bags.evaluation.frame_refs import FrameRef
from stn_perception.bags.evaluation.references import likeness
from stn_perception.bags.evaluation.worker_state import prepare_process, reader_of
from stn_perception.bags.factory import RosbagsFactory
from stn_perception.bags.opening import CameraTopics
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.late_views import with_views
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.result_messages import ResultMessages
from stn_perception.runtime.results import FrameResult

TF_TOPIC = "/tf"


@dataclass(frozen=True, eq=False)
class ViewTask:
    """Tracked frames of one camera whose views are wanted.

    Attributes:
        bag, topics, infos, parameters: As of ``ChunkTask``.
        frames: In order, each with its result without pixels.
        model: That the results are of.
        symmetry: The model's.
        references: What views are compared with, by object id or class.
        namespace: Of the topics to write, such as ``/canonicalizer``; "" for no messages.
    """

    bag: BagSource
    topics: CameraTopics
    infos: tuple[bytes, ...]
    parameters: NodeParameters
    frames: tuple[tuple[FrameRef, FrameResult], ...]
    model: ModelChoice
    symmetry: int
    references: Mapping[str, NDArray[np.uint8]]
    namespace: str


@dataclass(frozen=True, eq=False)
class SeenViews:
    """What came of one frame's views.

    Attributes:
        number: Of the frame in its camera.
        likeness: PSNR and SSIM by track.
        messages: Topic, type and CDR of what the node would have published, in its order.
    """

    number: int
    likeness: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    messages: tuple[tuple[str, str, bytes], ...] = ()


def see_views(task: ViewTask) -> list[SeenViews]:
    """Warp and use the views of a chunk; any process may do it."""
    prepare_process()
    reader = reader_of(task.bag)
    backend = get_backend(task.parameters.pipeline.backend)
    results = {ref.number: result for ref, result in task.frames}
    refs = [ref for ref, _ in task.frames]
    found = []
    for read in read_frames(reader, task.topics, refs, task.infos, task.parameters):
        assert read.request is not None  # it was read before
        result = with_views(
            results[read.ref.number], read.request, task.parameters.pipeline, backend
        )
        found.append(
            SeenViews(
                read.ref.number,
                _likeness(result, task),
                _messages(result, read.request.frame, task) if task.namespace else (),
            )
        )
    return found


def _likeness(result: FrameResult, task: ViewTask) -> dict[int, tuple[float, float]]:
    scores = {}
    for item in result.objects if task.references else ():
        score = likeness(item, task.references, task.symmetry)
        if score is not None:
            scores[item.track_id] = score
    return scores


def _messages(
    result: FrameResult, frame: Frame, task: ViewTask
) -> tuple[tuple[str, str, bytes], ...]:
    """The node's messages about a frame, transforms first."""
    outputs = task.parameters.outputs
    factory = _factory()
    builder = ResultMessages(
        factory, outputs.frame_prefix, outputs.view_frames, outputs.object_frames
    )
    made = [(f"{task.namespace}/{topic}", each) for topic, each in builder.outputs(result, frame)]
    transforms = builder.transforms(result)
    if transforms is not None:
        made.insert(0, (TF_TOPIC, transforms))
    serialize = factory.typestore.serialize_cdr
    return tuple(
        (topic, each.__msgtype__, bytes(serialize(each, each.__msgtype__))) for topic, each in made
    )


@cache
def _factory() -> RosbagsFactory:
    """One a process: to learn all types takes a tenth of a second."""
    return RosbagsFactory()
