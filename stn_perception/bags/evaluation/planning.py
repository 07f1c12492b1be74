# SPDX-License-Identifier: Apache-2.0
"""What is to be done with a recording: its cameras, where boxes come from, the pieces of work."""

from __future__ import annotations

import hashlib
import math
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.chunk import (
    BagSource,
    ChunkTask,
    ModelChoice,
    WarpProbe,
    run_identity,
)
from stn_perception.bags.evaluation.frame_reading import ReadFrame, read_frames
from stn_perception.bags.evaluation.frame_refs import CameraScan, FrameRef
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.scanning import scan_camera
from stn_perception.bags.evaluation.source_version import source_version
from stn_perception.bags.evaluation.worker_state import reader_of
from stn_perception.bags.opening import CameraTopics, OpenedBag, camera_topics
from stn_perception.bags.reader import BagReader
from stn_perception.bags.truth import FrameTruth, load_truth
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.parameters.settings import InputSettings


@dataclass(frozen=True, eq=False)
class CameraPlan:
    """All work on one camera of one recording.

    Attributes:
        source: The recording.
        scan: Its frames.
        parameters: The node's, with the choice of boxes made.
        boxes_from_truth: Whether the true objects give the boxes.
        truth: Where the truth comes from.
        identity: What its finished chunks are kept under.
    """

    source: BagSource
    scan: CameraScan
    parameters: NodeParameters
    boxes_from_truth: bool
    truth: FrameTruth
    identity: str

    def read(self, frames: Sequence[FrameRef]) -> Iterator[ReadFrame]:
        """Read some of its frames, in this process."""
        reader = reader_of(self.source)
        return read_frames(reader, self.scan.topics, frames, self.scan.infos, self.parameters)

    def chunks(
        self, models: tuple[ModelChoice, ...], options: EvaluationOptions
    ) -> list[ChunkTask]:
        """Its frames in pieces that never part frames of one batch."""
        frames, batch = self.scan.frames, options.batch
        size = -(-options.chunk_frames // batch) * batch
        pieces = [frames[first : first + size] for first in range(0, len(frames), size)]
        return [
            ChunkTask(
                bag=self.source,
                topics=self.scan.topics,
                frames=piece,
                infos=self.scan.infos,
                models=models,
                parameters=self.parameters,
                boxes_from_truth=self.boxes_from_truth,
                truth=self._truth_of(piece),
                probe=warp_probe(options),
                batch_frames=batch,
            )
            for piece in pieces
        ]

    def _truth_of(self, frames: Sequence[FrameRef]) -> FrameTruth:
        """What a worker needs of the truth."""
        stamps = [frame.image.stamp_ns for frame in frames]
        return self.truth.part(min(stamps), max(stamps))


def warp_probe(options: EvaluationOptions) -> WarpProbe:
    """How crops are turned."""
    return WarpProbe(options.probe_every, math.radians(options.probe_angle_deg))


def plan_cameras(
    bag: OpenedBag, uri: str, models: tuple[ModelChoice, ...], options: EvaluationOptions
) -> list[CameraPlan]:
    """Scan a recording.

    Raises:
        BagError: It has no images, not the topics asked for, or the truth cannot be had.
    """
    source = BagSource(uri, bag.sha256, str(options.cache))
    with BagReader(bag.path) as reader:
        return [
            _plan_camera(reader, source, topics, models, options)
            for topics in chosen_cameras(reader, options)
        ]


def chosen_cameras(reader: BagReader, options: EvaluationOptions) -> list[CameraTopics]:
    """The cameras asked for, by topic, by the parameters, or the only one."""
    names: Sequence[str | None] = options.images
    configured = options.parameters.inputs.cameras
    if not names and configured != InputSettings().cameras:
        names = [_configured_image(reader, camera) for camera in configured]
    found = [
        camera_topics(reader, name, options.detections) for name in dict.fromkeys(names) or [None]
    ]
    cameras = [topics.camera for topics in found]
    for topics in found:
        if cameras.count(topics.camera) > 1:
            images = ", ".join(t.image for t in found if t.camera == topics.camera)
            raise BagError(
                f"{images} are of one camera, '{topics.camera}'; expected one image topic each."
            )
    return found


def _configured_image(reader: BagReader, camera: str) -> str:
    raw = f"/{camera}/image"
    for name in (raw, f"{raw}/compressed"):
        if name in reader.topics:
            return name
    raise BagError(f"the bag {reader.path} has no image of the camera '{camera}' on {raw}.")


def _given_folder(uri: str) -> Path | None:
    """What ``{bag}`` in a path stands for: the user's own recording, not a copy of it."""
    return Path(uri) if Path(uri).exists() else None


def _plan_camera(
    reader: BagReader,
    source: BagSource,
    topics: CameraTopics,
    models: tuple[ModelChoice, ...],
    options: EvaluationOptions,
) -> CameraPlan:
    boxes = _boxes(topics, options)
    regions = {"detections": "detections", "fixed": "fixed"}.get(boxes, "full_frame")
    parameters = options.parameters
    inputs = parameters.inputs.model_copy(
        update={
            "regions": regions,
            "use_depth": parameters.inputs.use_depth and topics.depth is not None,
        }
    )
    parameters = parameters.model_copy(update={"inputs": inputs})
    truth = load_truth(options.truth, reader, topics.camera, _given_folder(source.uri))
    scan = scan_camera(reader, topics, inputs)
    told = _told_choices(boxes, topics, options)
    scan = replace(scan, sentences=(*told, *scan.sentences, *truth.sentences))
    settings = {
        "parameters": parameters.model_dump(mode="json"),
        "boxes": boxes,
        "truth": options.truth.model_dump(mode="json"),
        "truth_found": hashlib.sha256(pickle.dumps(truth)).hexdigest(),
        "probe": asdict(warp_probe(options)),
        "batch": options.batch,
        "sources": source_version(),
    }
    identity = run_identity(source, topics, models, settings)
    return CameraPlan(source, scan, parameters, boxes == "truth", truth, identity)


def _boxes(topics: CameraTopics, options: EvaluationOptions) -> str:
    """Where boxes come from, decided."""
    has_truth = options.truth.source != "none"
    if options.boxes == "truth" and not has_truth:
        raise BagError("boxes are to come from the truth, but no --truth is given.")
    if options.boxes == "detections" and topics.detections is None:
        raise BagError(
            f"boxes are to come from detections, but camera '{topics.camera}' has none; name "
            "their topic by --detections, or choose --boxes truth, full_frame or fixed."
        )
    if options.boxes == "fixed" and not options.parameters.inputs.fixed_boxes():
        raise BagError(
            "boxes are to be fixed, but the parameters have none; give a file with fixed_regions "
            "by --params."
        )
    if options.boxes != "auto":
        return options.boxes
    wanted = options.parameters.inputs.regions
    if wanted != "detections" or topics.detections is not None:
        return wanted
    return "truth" if has_truth else "full_frame"


def _told_choices(boxes: str, topics: CameraTopics, options: EvaluationOptions) -> list[str]:
    """What is done otherwise than the parameters say, as the recording lacks it."""
    inputs, sentences = options.parameters.inputs, []
    if options.boxes == "auto" and boxes != inputs.regions:
        instead = "the truth gives the boxes" if boxes == "truth" else "the whole frame is the box"
        sentences.append(f"Camera '{topics.camera}' has no detections, so {instead}.")
    if inputs.use_depth and topics.depth is None:
        sentences.append(f"Camera '{topics.camera}' has no depth, so it is done without.")
    return sentences
