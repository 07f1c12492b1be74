# SPDX-License-Identifier: Apache-2.0
"""Labels of pictures from the air, and what classical methods make of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.training.photographs import PhotographError
from stn_perception.training.tabletop.aerial import read_aerial
from stn_perception.training.tabletop.classical import MASK_METHODS, on_otsu
from stn_perception.training.tabletop.oriented import angle_between

LABEL = """<annotation>{objects}</annotation>"""
OBJECT = """<object><name>{name}</name><truncated>{truncated}</truncated><robndbox><cx>{cx}</cx>
<cy>{cy}</cy><w>{w}</w><h>{h}</h><angle>{angle}</angle></robndbox></object>"""


def write(folder: Path, objects: list[dict[str, object]]) -> Path:
    (folder / "annotations").mkdir(parents=True)
    (folder / "images").mkdir()
    picture = np.full((200, 240), 40, np.uint8)
    for one in objects:
        if one["name"] == "Car":
            rectangle = ((one["cx"], one["cy"]), (one["w"], one["h"]), np.degrees(one["angle"]))
            corners = cv2.boxPoints(rectangle)
            cv2.fillConvexPoly(picture, np.round(corners * 16).astype(int), 200, cv2.LINE_AA, 4)
    cv2.imwrite(str(folder / "images" / "a.jpg"), picture)
    text = LABEL.format(objects="".join(OBJECT.format(**one) for one in objects))
    (folder / "annotations" / "a.xml").write_text(text)
    return folder


def label(name: str, w: float, h: float, angle: float, truncated: int = 0) -> dict[str, object]:
    return {
        "name": name, "cx": 110.0, "cy": 90.0, "w": w, "h": h, "angle": angle,
        "truncated": truncated,
    }  # fmt: skip


def test_labels_are_read_with_the_long_side_first(tmp_path: Path) -> None:
    write(
        tmp_path / "air",
        [label("Car", 20.0, 60.0, 0.5), label("Person", 5, 9, 0), label("Car", 9, 9, 0, 1)],
    )
    rows = read_aerial(tmp_path, seed=1)
    assert [len(rows["cars"]), len(rows["bicycles"])] == [1, 0]
    sample = rows["cars"][0]
    assert sample.truth.aspect == pytest.approx(3.0)
    assert np.degrees(angle_between(sample.truth.angle_rad, 0.5 + np.pi / 2)) < 1e-6
    assert sample.truth.centre == pytest.approx([110.0, 90.0])
    # The drawn rectangle, found by pixels alone, has the label's angle: signs and axes agree.
    for method in MASK_METHODS.values():
        found = on_otsu(sample, method)
        assert found is not None
        assert np.degrees(angle_between(found.angle_rad, sample.truth.angle_rad)) < 1.5
        assert found.centre == pytest.approx(sample.truth.centre, abs=0.6)
        assert 2 * np.linalg.norm(found.long_half) == pytest.approx(60.0, rel=0.05)


def test_what_is_no_labelled_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotographError, match="no pictures from the air"):
        read_aerial(tmp_path, seed=1)
    folder = write(tmp_path / "empty", [label("Person", 5, 9, 0)])
    with pytest.raises(PhotographError, match="no labelled Car"):
        read_aerial(folder, seed=1)
    folder = write(tmp_path / "broken", [label("Car", 20, 60, 0.5)])
    (folder / "images" / "a.jpg").unlink()
    with pytest.raises(PhotographError, match="cannot read"):
        read_aerial(folder, seed=1)
