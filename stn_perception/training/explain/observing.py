# SPDX-License-Identifier: Apache-2.0
"""Run a model on cases as the runtime runs it, and keep what the page shows of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry import (
    AxisAlignedBox,
    OrientedBox,
    corner_error_px,
    quad_side_px,
    view_quad,
)
from stn_perception.geometry.boxes import frame_from_crop
from stn_perception.geometry.homography import InvalidTransformError
from stn_perception.messages.regions import Region
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import InputSample, get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.drawing import bgr_pixels
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.gray import gray_pixels
from stn_perception.runtime.results import Prediction
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.training.explain.cases import Case, Corners
from stn_perception.training.explain.picture_quality import Quality, quality
from stn_perception.training.explain.shape_of_quads import QuadShape, shape_in_box
from stn_perception.training.predicting import predicted

_BATCH = 32
_SCENE_MARGIN, _SCENE_PX = 1.5, 180
Picture = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Scene:
    """A small picture of a box and what is around it.

    Attributes:
        picture: BGR.
        scene_from_frame: 2×3, pixels of the frame to pixels of the picture.
    """

    picture: Picture
    scene_from_frame: NDArray[np.float64]

    def placed(self, points: Corners) -> Corners:
        """Return points of the frame, N×2, in pixels of the picture."""
        return np.asarray(points @ self.scene_from_frame[:, :2].T + self.scene_from_frame[:, 2])


@dataclass(frozen=True, eq=False)
class Observation:
    """One case with what the model made of it.

    Attributes:
        name, object_id, box, true_class: the case's.
        crop: float32 C×h×w, the network's first input.
        scene: the surroundings of the box.
        refused: why there is no view; empty where there is one.
        quad: the view's corners, 4×2 pixels of the frame, or None.
        shape: of ``quad`` in the box.
        truth: true corners, turned to begin where ``quad`` begins, or None.
        true_shape: of ``truth``.
        error_of_side: mean corner error as a share of the object's side, or None.
        sigma: (8,) predicted standard deviations of the corners in frame pixels, or None.
        sigma_of_side: their root mean square as a share of the side, or None.
        view: the canonical view, BGR, or None.
        class_id, score: what the model says.
        symmetry: quarter-turn poses that look alike.
        quality: of the true outline, or of the predicted one.
    """

    name: str
    object_id: str
    box: AxisAlignedBox | OrientedBox
    true_class: str
    crop: NDArray[np.float32]
    scene: Scene
    refused: str = ""
    quad: Corners | None = None
    shape: QuadShape | None = None
    truth: Corners | None = None
    true_shape: QuadShape | None = None
    error_of_side: float | None = None
    sigma: NDArray[np.float64] | None = None
    sigma_of_side: float | None = None
    view: Picture | None = None
    class_id: str = ""
    score: float = 1.0
    symmetry: int = 1
    quality: Quality | None = None

    @property
    def corner_errors(self) -> NDArray[np.float64] | None:
        """Absolute corner coordinate errors in frame pixels, (8,), or None."""
        if self.quad is None or self.truth is None:
            return None
        return np.asarray(np.abs(self.quad - self.truth).ravel())


def observe(archive: ModelArchive, cases: Iterable[Case]) -> Iterator[Observation]:
    """Run the model on each case, some at a time."""
    settings = PipelineSettings(min_valid_fraction=0.0)
    canonicalizer = Canonicalizer(archive, settings, get_backend(settings.backend))
    for case, prediction in predicted(canonicalizer, cases, _seen, _BATCH):
        yield _observation(archive, case, prediction)


def _seen(case: Case) -> tuple[Frame, Region]:
    return case.frame, case.region


def _observation(archive: ModelArchive, case: Case, prediction: Prediction) -> Observation:
    card, box = archive.card, case.region.box
    size = (card.input_width, card.input_height)
    backend = get_backend("opencv")
    first = frame_from_crop(box, card.box_margin, *size, card.crop_shape)
    inputs = backend.sample_inputs([InputSample(case.frame, first)], *size, card.channels)
    name, object_id, true_class = case.name, case.region.id, case.class_id
    asked = Observation(name, object_id, box, true_class, inputs[0].numpy(), _scene(case))
    if not prediction.estimates:
        return replace(asked, refused=prediction.dropped[0].detail, truth=case.corners)
    estimate = prediction.estimates[0]
    view_size = (prediction.view_width, prediction.view_height)
    quad = view_quad(estimate.frame_from_view, *view_size)
    truth, error = case.corners, None
    if truth is not None:
        distance, shift = corner_error_px(quad, truth, case.symmetry or card.symmetry)
        truth = np.roll(truth, -shift, axis=0)
        error = distance / quad_side_px(truth)
    covariance = estimate.corner_covariance
    view = backend.warp_view(case.frame, estimate.frame_from_view, *view_size)
    return replace(
        asked,
        quad=quad,
        shape=_shape(quad, box),
        truth=truth,
        true_shape=None if truth is None else _shape(truth, box),
        error_of_side=error,
        sigma=None if covariance is None else np.sqrt(np.diag(covariance)),
        sigma_of_side=estimate.corner_sigma_of_side,
        view=bgr_pixels(view, case.frame.color),
        class_id=estimate.class_id,
        score=estimate.score,
        symmetry=case.symmetry or card.symmetry,
        quality=quality(
            gray_pixels(case.frame.pixels, case.frame.color), quad if truth is None else truth
        ),
    )


def _shape(quad: Corners, box: AxisAlignedBox | OrientedBox) -> QuadShape | None:
    try:
        return shape_in_box(quad, box)
    except InvalidTransformError:
        return None  # a labelled outline may be mirrored or flat; it is drawn, not measured


def _scene(case: Case) -> Scene:
    """Cut what is around the box, at most ``_SCENE_PX`` on its longer side."""
    corners = case.region.box.corners()
    low, high = corners.min(axis=0), corners.max(axis=0)
    middle, half = (low + high) / 2, (high - low) * _SCENE_MARGIN / 2
    zoom = _SCENE_PX / float(2 * half.max())
    size = np.maximum(np.rint(2 * half * zoom).astype(int), 8)
    scene_from_frame = np.array(
        [
            [zoom, 0, size[0] / 2 - 0.5 - zoom * middle[0]],
            [0, zoom, size[1] / 2 - 0.5 - zoom * middle[1]],
        ]
    )
    frame_from_scene = np.linalg.inv(np.vstack([scene_from_frame, [0, 0, 1]]))
    view = get_backend("opencv").warp_view(
        case.frame, frame_from_scene, int(size[0]), int(size[1])
    )
    return Scene(bgr_pixels(view, case.frame.color), scene_from_frame)
