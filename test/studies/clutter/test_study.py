# SPDX-License-Identifier: Apache-2.0
"""The committed transformer finds digits that nobody ever pointed at."""

from pathlib import Path

import cv2
import torch

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.clutter.finding import median_miss_px
from stn_perception.studies.clutter.pictures import PIECES, cluttered
from stn_perception.studies.clutter.study import ClutterStudy
from stn_perception.studies.digits.drawn_lesson import Task, error_percent
from stn_perception.studies.digits.sets import DistortedSet, upright_digits
from stn_perception.studies.learning.outcomes import RowOutcome
from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path


def trained() -> torch.nn.Module:
    network = ClutterStudy().network("st-cnn")
    read_weights(weights_path(shipped_weights("clutter"), "st-cnn", 0), network)
    return network.eval()


def some(pieces: int) -> DistortedSet:
    digits = upright_digits("validation")
    generator = torch.Generator().manual_seed(0)
    return DistortedSet(cluttered(digits.images[:1000], generator, pieces), digits.labels[:1000])


@torch.no_grad()
def test_it_reads_and_finds_digits_of_the_validation_split() -> None:
    digits, network = some(PIECES), trained()
    assert error_percent(network, Task((digits.digits.images,), digits.labels)) < 2.5
    missed_px = median_miss_px(network, digits)
    assert missed_px is not None
    assert missed_px < 2


@torch.no_grad()
def test_the_view_moves_along_with_a_digit_that_is_alone() -> None:
    digit = upright_digits("validation").images[0].float() / 255
    pictures = torch.zeros(2, 1, 60, 60)
    pictures[0, 0, 8:36, 8:36] = digit
    pictures[1, 0, 20:48, 16:44] = digit
    transformer = next(m for m in trained().modules() if isinstance(m, SpatialTransformer))
    theta = transformer.predict(pictures)
    moved_px = (theta[1, :, 2] - theta[0, :, 2]) * 30
    torch.testing.assert_close(moved_px, torch.tensor([8.0, 12.0]), atol=1.0, rtol=0)


def test_the_target_is_held_against_the_mean_of_the_seeds() -> None:
    scores = {seed: {"error_percent": 0.8 + 0.1 * seed} for seed in range(3)}
    for figures in scores.values():
        figures |= {"error_many_percent": 3.0, "miss_px": 1.0}
    report = ClutterStudy().report({"cnn": RowOutcome(), "st-cnn": RowOutcome(scores)}, "")
    (target,) = report.targets
    assert target.is_met
    assert "cnn | not yet run" in report.text()
    assert not ClutterStudy().report({"cnn": RowOutcome()}, "").targets


def test_the_picture_has_a_column_for_each_digit(tmp_path: Path) -> None:
    path = tmp_path / "views.jpg"
    ClutterStudy().write_picture(shipped_weights("clutter"), path)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (2 * 116 - 4, 8 * 116 - 4, 3)
