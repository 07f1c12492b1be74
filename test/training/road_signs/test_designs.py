# SPDX-License-Identifier: Apache-2.0
"""The designs are many, distinct under every turn, and as symmetric as the catalogue says."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from stn_perception.training.road_signs.boards import NEED_A_BOARD
from stn_perception.training.road_signs.catalogue import (
    FOLDER,
    UNKNOWN,
    Design,
    class_names,
    designs,
    other_artwork,
    signs_of,
)
from stn_perception.training.road_signs.drawn import DRAWINGS

SIDE = 32
# Mean differences over gray, out of 255. Warning signs share all but their symbol.
DISTINCT = 8.0
DISTINCT_SIGNS = 4.0


def over_gray(design: Design) -> NDArray[np.float32]:
    pixels = design.pixels.astype(np.float32)
    alpha = pixels[..., 3:] / 255
    flat = pixels[..., :3] * alpha + 128 * (1 - alpha)
    return np.asarray(cv2.resize(flat, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def turned(picture: NDArray[np.float32], angle_deg: float) -> NDArray[np.float32]:
    middle = (SIDE - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), angle_deg, 1.0)
    border = (128.0, 128.0, 128.0)
    return np.asarray(cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderValue=border))


def signs() -> list[Design]:
    return [design for design in designs() if design.use == "class"]


def test_there_are_enough_classes_and_unknown_is_the_last() -> None:
    names = class_names()
    assert len(names) - 1 >= 43
    assert len(set(names)) == len(names)
    assert names[-1] == UNKNOWN


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1_000_000


def test_signs_of_different_classes_differ_at_every_turn() -> None:
    known = [(d, over_gray(d)) for d in signs() if d.name not in NEED_A_BOARD]
    turns = [[turned(p, a) for a in range(0, 360, 15)] for _, p in known]
    for i, (first, picture) in enumerate(known):
        for j in range(i):
            if known[j][0].name != first.name:
                least = min(float(np.abs(picture - t).mean()) for t in turns[j])
                assert least > DISTINCT_SIGNS, (first.source, known[j][0].source)


def test_junction_signs_need_their_board_because_they_are_turns_of_one_another() -> None:
    junctions = [over_gray(signs_of(name)[0]) for name in NEED_A_BOARD]
    for other in junctions[1:]:
        least = min(float(np.abs(np.rot90(other, k) - junctions[0]).mean()) for k in range(4))
        assert least < DISTINCT


@pytest.mark.parametrize("design", signs(), ids=lambda d: d.source)
def test_the_catalogue_knows_which_quarter_turns_look_alike(design: Design) -> None:
    picture = over_gray(design)
    for quarters, alike_from in ((1, 4), (2, 2)):
        differs = float(np.abs(np.rot90(picture, quarters) - picture).mean())
        assert (differs < 4.0) == (design.symmetry >= alike_from), quarters


def test_other_artwork_is_no_class_and_is_split() -> None:
    known = [over_gray(d) for d in signs()]
    training = [over_gray(d) for d in other_artwork(held_out=False)]
    held_out = [over_gray(d) for d in other_artwork(held_out=True)]
    assert len(training) > 40
    assert len(held_out) > 20
    for picture in held_out:
        for other in known + training:
            least = min(float(np.abs(np.rot90(other, k) - picture).mean()) for k in range(4))
            assert least > DISTINCT


@pytest.mark.parametrize("name", sorted(DRAWINGS))
def test_drawn_designs_are_what_the_script_draws(name: str) -> None:
    source = f"drawn.{DRAWINGS[name].__name__}"
    design = next(d for d in signs_of(name) if d.source == source)
    drawn = DRAWINGS[name]()
    seen = (drawn[..., 3] > 200) & (design.pixels[..., 3] > 200)
    difference = np.abs(drawn[..., :3].astype(float) - design.pixels[..., :3])[seen]
    # The files hold 64 colours.
    assert difference.mean() < 6
    assert (np.abs(drawn[..., 3].astype(int) - design.pixels[..., 3]) > 100).mean() < 0.01


def test_stop_is_read_from_clip_art_and_from_our_drawing() -> None:
    assert len({d.source.startswith("drawn.") for d in signs_of("stop")}) == 2
