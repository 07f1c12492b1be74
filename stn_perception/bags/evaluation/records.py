# SPDX-License-Identifier: Apache-2.0
"""What an evaluation found out: one record per view, per frame and per recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ViewRecord:
    """One view of one model in one frame.

    Attributes:
        bag: Name of the recording as the user gave it.
        camera: The camera's name.
        model: Label of the model in this run, unique.
        frame: Number of the frame in its camera, from 0.
        stamp_ns: The frame's stamp.
        object_id: Upstream id of the box, or "".
        track_id: Number of its track.
        class_id, score: The network's class where it has one, else the detection's.
        corners: 4×2 px, the view's corners in the frame (TL TR BR BL of the view), smoothed.
        box: The region looked at: centre x and y, width, height in px, angle in radians.
        truth_id: Id of the true object, "" where none was matched.
        truth: 4×2 px, true corners (TL TR BR BL of the upright object), or None.
        symmetry: By how many quarter-turn poses prediction and truth may differ: 1, 2 or 4.
        valid_fraction: Share of the view inside the frame.
        corner_sigma_px: Predicted RMS deviation of a corner coordinate, or None.
        is_uncertain: Whether it was marked so.
        distance_m: Distance of the known pose from the camera, or None.
        sharpness: Variance of the Laplacian of the box's pixels at 64×64, gray in 0 to 255.
        equivariance_error: Mean corner distance, as a share of the side, between the view of a
            synthetically warped frame, mapped back, and the plain one, or None.
        psnr_db, ssim: Of the view against the canonical reference of its class, or None.
    """

    bag: str
    camera: str
    model: str
    frame: int
    stamp_ns: int
    object_id: str
    track_id: int
    class_id: str
    score: float
    corners: Matrix
    box: Matrix
    truth_id: str = ""
    truth: Matrix | None = None
    symmetry: int = 1
    valid_fraction: float = 1.0
    corner_sigma_px: float | None = None
    is_uncertain: bool = False
    distance_m: float | None = None
    sharpness: float | None = None
    equivariance_error: float | None = None
    psnr_db: float | None = None
    ssim: float | None = None


@dataclass(frozen=True, eq=False)
class FrameRecord:
    """One frame of one model.

    Attributes:
        bag, camera, model, frame, stamp_ns: As of its views.
        boxes: Regions that were asked for.
        views: Views that came of them.
        truths: True objects in the frame.
        truth_missed: True objects without a view.
        dropped: Boxes that led to no view, by reason.
    """

    bag: str
    camera: str
    model: str
    frame: int
    stamp_ns: int
    boxes: int
    views: int
    truths: int = 0
    truth_missed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class EvaluatedBag:
    """One recording.

    Attributes:
        name: As the user gave it.
        uri: Where it was read from.
        sha256: Of its storage files.
        start_ns, end_ns: Times of its first and last message.
        frames: Images that went through the pipeline.
        skipped: Messages and parts that did not, by reason.
        sentences: What was salvaged, what was skipped and why.
    """

    name: str
    uri: str
    sha256: str
    start_ns: int
    end_ns: int
    frames: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelFacts:
    """Which network a label stands for."""

    name: str
    version: str
    sha256: str
    path: str


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A whole run.

    Attributes:
        bags: In the order given.
        models: By label, in the order given.
        views: By bag, model, camera, frame and place in the frame.
        frames: By bag, model, camera and frame.
        command: The exact command line.
        seconds: How long it took.
    """

    bags: tuple[EvaluatedBag, ...]
    models: Mapping[str, ModelFacts]
    views: tuple[ViewRecord, ...]
    frames: tuple[FrameRecord, ...]
    command: str
    seconds: float
