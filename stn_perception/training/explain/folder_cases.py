# SPDX-License-Identifier: Apache-2.0
"""Cases of a folder of pictures: labelled in one of the known ways, or each as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from stn_perception.messages.regions import Region
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import full_frame_region
from stn_perception.training.explain.cases import Case, CaseSource, ExplainError, box_around
from stn_perception.training.explain.truth_files import Truth, read_truth, truth_beside
from stn_perception.training.photographs import OUTLINES, TAGS, read_photographs
from stn_perception.training.scenes import LabelledSample
from stn_perception.training.scenes.given_box import as_axis_aligned, given_box

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def folder_cases(
    folder: Path, truth_file: Path | None, seed: int, box_jitter: float, limit: int
) -> CaseSource:
    """Find the cases of a folder; pictures are read as the cases are taken.

    ``outlines.csv`` and ``tag_corners.json`` are read as for scoring; a truth file of
    ``pictures`` gives a box around each object; without any, every picture is one case without
    truth.

    Args:
        folder: with pictures, or with folders of labelled ones.
        truth_file: None for ``labels.json`` in the folder, if there is one.
        seed: of the boxes' errors.
        box_jitter: standard deviation of each side of a labelled object's box, as a share of it.
        limit: cases at most, evenly over the folder.

    Raises:
        ExplainError: the folder is missing or has no pictures, or a label names none of them.
        PhotographError: labels are there and unusable.
    """
    if not folder.is_dir():
        raise ExplainError(f"there is no folder {folder}")
    truth = read_truth(truth_file) if truth_file else truth_beside(folder)
    if truth.by_picture:
        return _with_truth(folder, truth, seed, box_jitter, limit)
    places = [folder, *(p for p in folder.glob("*") if p.is_dir())]
    if any((place / name).is_file() for place in places for name in (OUTLINES, TAGS)):
        return _photographs(folder, seed, box_jitter, limit)
    pictures = _pictures(folder)
    if not pictures:
        raise ExplainError(
            f"the folder {folder} holds no pictures ({', '.join(PICTURE_SUFFIXES)})"
        )
    chosen = [pictures[i] for i in spread(len(pictures), limit)]
    return CaseSource(
        f"{len(chosen)} pictures of the folder {folder.name}, each as a whole, without truth.",
        (_whole(path) for path in chosen),
    )


def _photographs(folder: Path, seed: int, jitter: float, limit: int) -> CaseSource:
    rows = read_photographs(folder, np.random.default_rng([seed, 2]), jitter)
    samples = [(f"{name} {i}", s) for name, row in rows.items() for i, s in enumerate(row)]
    chosen = [samples[i] for i in spread(len(samples), limit)]
    return CaseSource(
        f"Labelled photographs of the folder {folder.name}: "
        f"{', '.join(f'{len(row)} {name}' for name, row in rows.items())}.",
        (case_of_sample(name, sample) for name, sample in chosen),
    )


def case_of_sample(name: str, sample: LabelledSample) -> Case:
    """Return a labelled sample as a case."""
    region = Region(as_axis_aligned(sample.box), name)
    return Case(name, Frame(sample.pixels, "gray"), region, sample.corners)


def _with_truth(folder: Path, truth: Truth, seed: int, jitter: float, limit: int) -> CaseSource:
    for name in truth.by_picture:
        if not (folder / name).is_file():
            raise ExplainError(f"the truth names the picture {name}, {folder} does not hold it")
    labelled = [(n, i) for n, objects in truth.by_picture.items() for i in objects]
    chosen = [labelled[i] for i in spread(len(labelled), limit)]
    return CaseSource(
        f"{len(chosen)} labelled objects in {len(truth.by_picture)} pictures of the folder "
        f"{folder.name}.",
        _labelled(folder, truth, chosen, np.random.default_rng([seed, 2]), jitter),
    )


def _labelled(
    folder: Path,
    truth: Truth,
    chosen: list[tuple[str, str]],
    rng: np.random.Generator,
    jitter: float,
) -> Iterator[Case]:
    name, frame = "", None
    for picture, id in chosen:
        if frame is None or picture != name:
            name, frame = picture, _frame(folder / picture)
        corners = truth.by_picture[picture][id]
        box = as_axis_aligned(given_box(rng, box_around(corners).corners(), jitter))
        yield Case(f"{picture} {id}", frame, Region(box, id), corners)


def _whole(path: Path) -> Case:
    frame = _frame(path)
    return Case(path.name, frame, full_frame_region(frame))


def _frame(path: Path) -> Frame:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ExplainError(f"the picture {path} cannot be read")
    return Frame(np.asarray(pixels, dtype=np.uint8), "bgr")


def _pictures(folder: Path) -> list[Path]:
    found = [*folder.glob("*"), *folder.glob("*/*")]
    return sorted(f for f in found if f.is_file() and f.suffix.lower() in PICTURE_SUFFIXES)


def spread(count: int, most: int) -> list[int]:
    """At most so many indices, evenly over all of them."""
    if count <= most:
        return list(range(count))
    return [int(i) for i in np.linspace(0, count - 1, most).round()]
