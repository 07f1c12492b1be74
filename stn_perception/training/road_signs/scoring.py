# SPDX-License-Identifier: Apache-2.0
"""Score an archive of signs: held-out renderings by seed, and the signs in real pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.refinement_gain import steps_that_pay
from stn_perception.training.reliability import reliability
from stn_perception.training.road_signs.catalogue import UNKNOWN
from stn_perception.training.road_signs.measuring import (
    Matrix,
    Reading,
    box_start,
    coarse_start,
    read_signs,
)
from stn_perception.training.road_signs.pool import scene_number
from stn_perception.training.road_signs.real_signs import read_real_signs, side_px
from stn_perception.training.road_signs.scene import SignSample
from stn_perception.training.road_signs.scene_settings import SignSceneSettings
from stn_perception.training.road_signs.score_rows import (
    UPRIGHT_DEG,
    failures,
    score_row,
    signs_table,
)

__all__ = ["score_signs", "signs_table"]

COARSE_SIGMA = 0.25
# The comparison, beside the archive: the same classifier without the transformer.
WITHOUT_STN = "without_stn.pt"

_STARTS = SignSceneSettings(
    min_side_px=32,
    max_side_px=128,
    max_tilt_deg=45,
    unknown_share=0,
    occluded_share=0,
    surroundings=3.2,
)
_LARGE = SignSceneSettings(min_side_px=32, max_side_px=128)
_SMALL = SignSceneSettings(min_side_px=16, max_side_px=32)

STARTS = "held-out renderings, starts off by σ = 0.25"
LARGE = "held-out renderings, boxes, 32 to 128 px"
SMALL = "held-out renderings, boxes, 16 to 32 px"
REAL_LARGE = "signs in Duckiebot pictures, 32 px and more"
REAL_SMALL = "signs in Duckiebot pictures, below 32 px"
REAL_TAGS = "tags in Duckiebot pictures"

NOTE = (
    "Every sign is turned by any angle. Read: the class is right. Upright: the view is turned by "
    f"less than {UPRIGHT_DEG:.0f}° (modulo the artwork's own symmetry, where nothing around it "
    "says where up is). Refused: what is no sign is called unknown. Corners: mean distance in "
    "percent of the mean side, in the median. 95 % bootstrap intervals in brackets. Starts off by "
    "σ = 0.25: the first crop follows the true square with every corner, and all of them "
    "together, moved by 0.25 of the half width (Lin & Lucey 2017); the other rows start from a "
    "box. Without STN: a classifier of as many weights, trained on 1.04 million crops of the same "
    "scenes (signs: on 1.19 million), on the first crop. The pictures' signs are all that are in "
    "them; training sees no picture, but the boards that scenes show were drawn after looking at "
    "them. The sheet duckiebot_signs.jpg shows them: the crop of the box, the upright view, what "
    "was read; green where class and turn are right."
)


@dataclass
class _Found:
    """Readings of one data set by number of steps, and of the comparison."""

    data: str
    samples: list[SignSample] = field(default_factory=list)
    by_steps: dict[int, list[Reading]] = field(default_factory=dict)
    plain: list[Reading] = field(default_factory=list)


def _collect(
    archive: ModelArchive,
    plain: ModelArchive | None,
    data: str,
    count: int,
    sample: Callable[[int], SignSample],
    start: Callable[[SignSample], Matrix],
) -> _Found:
    """Run both archives on samples that are made as they are needed."""
    found = _Found(data)
    steps = max(2, archive.card.refinement_steps)
    for first in range(0, count, 64):
        part = [sample(i) for i in range(first, min(first + 64, count))]
        starts = [start(s) for s in part]
        for number, readings in enumerate(read_signs(archive, part, starts, steps)):
            found.by_steps.setdefault(number, []).extend(readings)
        if plain is not None:
            found.plain.extend(read_signs(plain, part, starts, 0)[0])
        # Pictures are dropped: thousands of them do not fit into memory.
        empty = np.empty((0, 0, 3), np.uint8)
        found.samples.extend(
            SignSample(empty, s.corners, s.outline, s.box, s.name, s.symmetry, s.kind)
            for s in part
        )
    return found


def _add(result: dict[str, Any], found: _Found, archive: ModelArchive, seed: int) -> None:
    """Add one data set's rows, its reliability and the steps that pay."""
    name = archive.card.name
    for steps, readings in found.by_steps.items():
        method = f"{name}, {steps} refinement steps"
        row = score_row(found.data, method, found.samples, readings, seed, True)
        result["rows"].append(row | {"refinement_steps": steps})
    if found.plain:
        row = score_row(found.data, "without STN", found.samples, found.plain, seed, False)
        result["rows"].append(row)
    is_sign = [s.name != UNKNOWN for s in found.samples]
    if sum(is_sign) < 2:
        return
    errors = {
        steps: np.array([r.side_percent for r, use in zip(found_, is_sign, strict=True) if use])
        for steps, found_ in found.by_steps.items()
    }
    result["refinement"].append(steps_that_pay(errors, found.data, "% of the side", seed))
    last = found.by_steps[archive.card.refinement_steps]
    usable = [r for r, use in zip(last, is_sign, strict=True) if use and r.sigma.size]
    if len(usable) >= 2 and found.data in (STARTS, LARGE):
        half = archive.card.input_width / 2
        sigma = np.array([r.sigma for r in usable]) * half
        error = np.array([r.error for r in usable]) * half
        result["reliability"].append(reliability(sigma, error, found.data, "crop px", seed))


def _real(
    archive: ModelArchive, plain: ModelArchive | None, folder: Path
) -> tuple[list[_Found], list[SignSample]]:
    everything = read_real_signs(folder)
    parts = {
        REAL_LARGE: [s for s in everything if s.name != UNKNOWN and side_px(s) >= 32],
        REAL_SMALL: [s for s in everything if s.name != UNKNOWN and side_px(s) < 32],
        REAL_TAGS: [s for s in everything if s.name == UNKNOWN],
    }
    found = [
        _collect(
            archive, plain, name, len(part), part.__getitem__, lambda s: box_start(s, archive.card)
        )
        for name, part in parts.items()
    ]
    return found, everything


def score_signs(
    archive: ModelArchive, samples: int, seed: int, data: Path | None = None
) -> dict[str, Any]:
    """Score an archive of signs.

    Args:
        archive: the opened archive.
        samples: how many held-out scenes to generate for each row.
        seed: of scenes, starts and bootstrap; shares no scene with the ones that training or
            calibration sees.
        data: folder with the labelled pictures, or none.

    Returns:
        ``model``, ``version``, ``weights_sha256``, ``seed``, ``note`` and ``rows``: percentages
        read, upright and refused, and the corners' error, for each number of refinement steps and
        for the classifier without the transformer where it lies beside the archive, with 95 %
        bootstrap intervals; ``refinement`` and ``reliability`` per data set; and ``failures``:
        the signs in real pictures that are not read or not upright.

    Raises:
        PhotographError: the folder lacks a labelled picture.
    """
    cv2.setNumThreads(1)
    beside = archive.path.with_name(WITHOUT_STN)
    plain = ModelArchive.open(beside, device="cpu") if beside.is_file() else None
    card = archive.card
    result: dict[str, Any] = {"rows": [], "refinement": [], "reliability": [], "failures": []}
    rng = np.random.default_rng([seed, 3])

    def coarse(sample: SignSample) -> Matrix:
        return coarse_start(rng, sample, card, COARSE_SIGMA)

    def box(sample: SignSample) -> Matrix:
        return box_start(sample, card)

    sets: list[tuple[str, SignSceneSettings, int, Callable[[SignSample], Matrix]]] = [
        (STARTS, _STARTS, 1, coarse),
        (LARGE, _LARGE, 2, box),
        (SMALL, _SMALL, 3, box),
    ]
    for name, settings, part, start in sets:

        def drawn(i: int, settings: SignSceneSettings = settings, part: int = part) -> SignSample:
            return scene_number(1_000_000 * part + seed, i, settings, True)

        _add(result, _collect(archive, plain, name, samples, drawn, start), archive, seed)
    if data is not None:
        for found in _real(archive, plain, data)[0]:
            _add(result, found, archive, seed)
            last = found.by_steps[card.refinement_steps]
            result["failures"] += failures(last, found.samples)
    return {
        "model": card.name,
        "version": card.version,
        "weights_sha256": card.weights_sha256,
        "seed": seed,
        "note": NOTE,
    } | result
