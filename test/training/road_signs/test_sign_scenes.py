# SPDX-License-Identifier: Apache-2.0
"""The truth of scenes with signs, held against independent oracles."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stn_perception.training.road_signs import color
from stn_perception.training.road_signs.catalogue import UNKNOWN, class_names, signs_of
from stn_perception.training.road_signs.config import SignCropSettings
from stn_perception.training.road_signs.crops import random_batch
from stn_perception.training.road_signs.pool import pool_of, scene_number
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.road_signs.scene_settings import SignSceneSettings
from stn_perception.training.view_axes import projected

SIGNS = SignSceneSettings(min_side_px=60, max_side_px=120, unknown_share=0, occluded_share=0)
SQUARE = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])


@pytest.fixture
def plain_light(monkeypatch: pytest.MonkeyPatch) -> None:
    """An even light and a perfect camera, so that pixels can be compared."""
    monkeypatch.setattr(color, "lit", lambda rng, picture: picture)
    monkeypatch.setattr(
        color, "recorded", lambda rng, picture, *_: np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    )


def upright_view(sample: SignSample, side: int) -> NDArray[np.float32]:
    edge = np.array(
        [(-0.5, -0.5), (side - 0.5, -0.5), (side - 0.5, side - 0.5), (-0.5, side - 0.5)]
    )
    matrix = cv2.getPerspectiveTransform(
        sample.corners.astype(np.float32), edge.astype(np.float32)
    )
    return cv2.warpPerspective(sample.pixels, matrix, (side, side)).astype(np.float32)


@pytest.mark.usefixtures("plain_light")
def test_rectifying_by_the_true_corners_shows_the_design_upright() -> None:
    shown = 0
    for index in range(40):
        sample = scene_number(5, index, SIGNS, False)
        view = upright_view(sample, 48)
        best = []
        for turn in range(4):
            scores = []
            for design in signs_of(sample.name):
                picture = cv2.resize(design.pixels, (48, 48), interpolation=cv2.INTER_AREA)
                opaque = np.rot90(picture[..., 3], turn) > 250
                ink = np.rot90(picture[..., :3], turn).astype(np.float32)
                scores.append(float(np.abs(view - ink)[opaque].mean()))
            best.append(min(scores))
        assert best[0] < 25, (index, sample.name, best)
        if sample.symmetry == 1 and sample.name != "crossroads":
            assert best[0] == min(best), (index, sample.name, best)
            shown += 1
    assert shown > 20


def test_corners_agree_with_an_independent_fiducial_detector() -> None:
    settings = SIGNS.model_copy(update={"unknown_share": 1.0, "severity": 0.0})
    names = (
        "DICT_4X4_250",
        "DICT_5X5_250",
        "DICT_6X6_250",
        "DICT_7X7_250",
        "DICT_APRILTAG_36h11",
    )
    detectors = [
        cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, n)))
        for n in names
    ]
    found_any = 0
    for index in range(240):
        sample = scene_number(6, index, settings, index % 2 == 0)
        if sample.kind != "fiducial":
            continue
        for detector in detectors:
            found, _, _ = detector.detectMarkers(sample.pixels)
            centre = sample.corners.mean(axis=0)
            near = [q[0] for q in found if np.linalg.norm(q[0].mean(axis=0) - centre) < 10]
            if not near:
                continue
            matrix = cv2.getPerspectiveTransform(
                sample.corners.astype(np.float32), SQUARE.astype(np.float32)
            )
            own = projected(np.asarray(matrix, dtype=np.float64), near[0].astype(np.float64))
            # The tag stands upright in the middle of its sheet, smaller than it or as large.
            half = np.abs(own).mean()
            assert 0.65 < half < 1.05
            assert np.abs(own - SQUARE * half).max() < 0.09, (index, own)
            found_any += 1
            break
    assert found_any >= 8


def test_boxes_hold_the_artwork_and_no_more() -> None:
    settings = SIGNS.model_copy(update={"box_jitter": 0.0})
    for index in range(20):
        sample = scene_number(7, index, settings, False)
        low, high = sample.outline.min(axis=0), sample.outline.max(axis=0)
        assert np.allclose(sample.box, [*((low + high) / 2), *(high - low)])
        height, width = sample.pixels.shape[:2]
        assert (low > 0).all()
        assert (high < [width, height]).all()


def test_scenes_repeat_and_held_out_ones_differ() -> None:
    first, again = scene_number(3, 4, SIGNS, False), scene_number(3, 4, SIGNS, False)
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.corners, again.corners)
    held_out = scene_number(3, 4, SIGNS, True)
    assert first.pixels.shape != held_out.pixels.shape or not np.array_equal(
        first.pixels, held_out.pixels
    )


def test_everything_unknown_is_called_so_and_has_no_up() -> None:
    settings = SIGNS.model_copy(update={"unknown_share": 1.0})
    samples = [scene_number(8, i, settings, i % 2 == 0) for i in range(60)]
    assert {s.name for s in samples} == {UNKNOWN}
    assert {s.symmetry for s in samples} == {0}
    assert len({s.kind for s in samples}) == 6


def test_crops_carry_the_true_corners() -> None:
    """The crop's corner pixels, looked up in the frame, are the frame's at the truth."""
    samples = [scene_number(9, i, SIGNS, False) for i in range(24)]
    pool = pool_of(samples)
    settings = SignCropSettings(refinement_share=0.5)
    batch = random_batch(np.random.default_rng(0), pool, np.arange(24), settings, 96)
    compared = []
    for i, sample in enumerate(samples):
        inside = batch.corners[i].abs().max() < 0.98
        if not inside:
            continue
        pixel = ((batch.corners[i].double().numpy() + 1) * 96 - 1) / 2
        edge = np.array([(-0.5, -0.5), (31.5, -0.5), (31.5, 31.5), (-0.5, 31.5)], np.float32)
        crop = (batch.crops[i].permute(1, 2, 0).numpy() * 255).astype(np.float32)
        matrix = cv2.getPerspectiveTransform(pixel.astype(np.float32), edge)
        from_crop = cv2.warpPerspective(crop, matrix, (32, 32))
        from_frame = upright_view(sample, 32)
        compared.append(
            float(
                np.corrcoef(from_crop.mean(axis=2).ravel(), from_frame.mean(axis=2).ravel())[0, 1]
            )
        )
    assert len(compared) > 8
    assert np.median(compared) > 0.95
    assert len(class_names()) == int(batch.class_index.max()) + 1 or batch.class_index.min() >= 0
