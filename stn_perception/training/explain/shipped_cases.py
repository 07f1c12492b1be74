# SPDX-License-Identifier: Apache-2.0
"""Cases of the shipped models' own kinds: what each is scored on, drawn or labelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.regions import Region
from stn_perception.runtime.frame import Frame
from stn_perception.training.explain.cases import Case, CaseSource, ExplainError
from stn_perception.training.explain.folder_cases import case_of_sample, spread
from stn_perception.training.scenes.given_box import as_axis_aligned

if TYPE_CHECKING:
    from stn_perception.training.road_signs.scene import SignSample
    from stn_perception.training.tabletop.oriented import OrientedBox as TabletopBox


@dataclass(frozen=True)
class CasesOfAKind:
    """Where one kind of model gets its cases.

    Attributes:
        drawn: count and seed to held-out scenes.
        recognises: whether a folder holds labelled pictures of this kind.
        labelled: folder and seed to its cases.
    """

    drawn: Callable[[int, int], Iterator[Case]]
    recognises: Callable[[Path], bool] = lambda folder: False
    labelled: Callable[[Path, int], list[Case]] = lambda folder, seed: []


def cases_of_kind(model_name: str) -> CasesOfAKind:
    """Return the kind of a model by its card's name; unknown names are taken as planar.

    The kinds' modules are imported when their cases are taken: each has its dependencies.
    """
    kinds = {
        "tabletop": CasesOfAKind(_drawn_tabletop, _is_aerial, _aerial),
        "signs": CasesOfAKind(_drawn_signs, _has_real_signs, _real_signs),
    }
    return kinds.get(model_name, CasesOfAKind(_drawn_quads))


def generated_cases(model_name: str, count: int, seed: int) -> CaseSource:
    """Draw held-out scenes of the kind a model is scored on.

    Raises:
        ExplainError: fewer than one is asked for.
    """
    if count < 1:
        raise ExplainError(f"{count} generated scenes are asked for, expected at least 1")
    drawn = cases_of_kind(model_name).drawn(count, seed)
    return CaseSource(f"{count} held-out scenes drawn with seed {seed}.", drawn)


def labelled_cases(model_name: str, folder: Path, seed: int, limit: int) -> CaseSource | None:
    """Return the cases of a folder laid out as this kind's real pictures are; None for others.

    Raises:
        PhotographError: it is such a folder, and a picture or a label in it cannot be read.
    """
    kind = cases_of_kind(model_name)
    if not folder.is_dir() or not kind.recognises(folder):
        return None
    cases = kind.labelled(folder, seed)
    chosen = [cases[i] for i in spread(len(cases), limit)]
    return CaseSource(
        f"{len(chosen)} of {len(cases)} labelled objects in the folder {folder.name}.", chosen
    )


def _drawn_quads(count: int, seed: int) -> Iterator[Case]:
    from stn_perception.training.pool import scene
    from stn_perception.training.scoring import SCORED_SCENES

    for index in range(count):
        sample = scene(seed, index, SCORED_SCENES, held_out=True)
        yield case_of_sample(f"{sample.kind} {index}", sample)


def _drawn_tabletop(count: int, seed: int) -> Iterator[Case]:
    from stn_perception.training.tabletop.held_out import held_out_samples

    for index, sample in enumerate(held_out_samples(seed, count, "whole")):
        hidden = f", {100 * sample.hidden:.0f} % hidden" if sample.hidden >= 0.01 else ""
        yield _box_case(f"{sample.kind} {index}{hidden}", sample.pixels, sample.box, sample.truth)


def _is_aerial(folder: Path) -> bool:
    from stn_perception.training.photographs import PhotographError
    from stn_perception.training.tabletop.aerial import aerial_folder

    try:
        aerial_folder(folder)
    except PhotographError:
        return False
    return True


def _aerial(folder: Path, seed: int) -> list[Case]:
    from stn_perception.training.tabletop.aerial import read_aerial

    return [
        _box_case(f"{name} {index}", sample.pixels, sample.box, sample.truth)
        for name, samples in read_aerial(folder, seed).items()
        for index, sample in enumerate(samples)
    ]


def _box_case(name: str, pixels: NDArray[np.uint8], box: NDArray[Any], truth: TabletopBox) -> Case:
    """An object whose angle nobody can name is compared with the nearest of four turns."""
    from stn_perception.training.tabletop.oriented import ANGLE_DEFINED_FROM

    region = Region(as_axis_aligned(box), name)
    symmetry = 4 if truth.aspect < ANGLE_DEFINED_FROM else 0
    return Case(name, Frame(pixels, "gray"), region, truth.corners, symmetry=symmetry)


def _drawn_signs(count: int, seed: int) -> Iterator[Case]:
    from stn_perception.training.road_signs.pool import scene_number
    from stn_perception.training.road_signs.scene_settings import SignSceneSettings

    settings = SignSceneSettings(min_side_px=32, max_side_px=128)
    for index in range(count):
        yield _sign_case(str(index), scene_number(seed, index, settings, True))


def _has_real_signs(folder: Path) -> bool:
    from stn_perception.training.road_signs.real_signs import LABELS

    names = json.loads(LABELS.read_text(encoding="utf-8"))["images"]
    places = [folder, *(p for p in folder.glob("*") if p.is_dir())]
    return any((place / name).is_file() for place in places for name in names)


def _real_signs(folder: Path, seed: int) -> list[Case]:
    del seed  # the boxes are the signs' own
    from stn_perception.training.road_signs.real_signs import read_real_signs

    return [_sign_case("", sample) for sample in read_real_signs(folder)]


def _sign_case(name: str, sample: SignSample) -> Case:
    """What has no up is compared with the nearest of four turns."""
    name = f"{sample.kind} {name}".rstrip()
    region = Region(as_axis_aligned(sample.box), name)
    frame = Frame(sample.pixels, "rgb")
    return Case(name, frame, region, sample.corners, sample.name, sample.symmetry or 4)
