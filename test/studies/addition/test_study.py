# SPDX-License-Identifier: Apache-2.0
"""The target is held against the two transformers; the picture shows what both of them see."""

from pathlib import Path

import cv2
import torch

from stn_perception.studies.addition.networks import build
from stn_perception.studies.addition.picture import write_picture
from stn_perception.studies.addition.study import AdditionStudy
from stn_perception.studies.learning.outcomes import RowOutcome


def test_the_target_is_held_against_two_transformers() -> None:
    scores = {0: {"error_percent": 1.5, "named_percent": 99.0}}
    report = AdditionStudy().report({"2-st-cnn": RowOutcome(scores)}, "")
    (target,) = report.targets
    assert target.is_met
    assert not AdditionStudy().report({"cnn": RowOutcome(scores)}, "").targets


def test_a_lesson_spares_both_localization_networks() -> None:
    network = build("2-st-cnn")
    lesson = AdditionStudy().lesson("2-st-cnn", network)
    assert [id(part) for part in lesson.localization] == [
        id(part.localization) for part in network.parts
    ]
    assert len(lesson.localization) == 2
    assert not list(AdditionStudy().lesson("cnn", build("cnn")).localization)


def test_the_picture_shows_both_channels_in_both_views(tmp_path: Path) -> None:
    path = tmp_path / "views.jpg"
    torch.manual_seed(0)
    write_picture(build("2-st-cnn").eval(), path)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (6 * 116 - 4, 8 * 116 - 4, 3)
