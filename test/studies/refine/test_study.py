# SPDX-License-Identifier: Apache-2.0
"""The committed networks read perturbed digits of the validation split."""

from pathlib import Path

import cv2
import pytest
import torch

from stn_perception.studies.digits.drawn_lesson import Task, error_percent
from stn_perception.studies.learning.outcomes import RowOutcome
from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path
from stn_perception.studies.refine.networks import ROWS
from stn_perception.studies.refine.perturbation import held
from stn_perception.studies.refine.study import RefineStudy

TRAINED = [row for row in ROWS if weights_path(shipped_weights("refine"), row, 0).exists()]


@pytest.mark.parametrize("row", TRAINED)
@torch.no_grad()
def test_committed_networks_read_the_validation_split(row: str) -> None:
    network = RefineStudy().network(row)
    facts = read_weights(weights_path(shipped_weights("refine"), row, 0), network)
    task = held("validation")
    some = Task(tuple(part[:2000] for part in task.inputs), task.labels[:2000])
    # Half precision and a fifth of the split: close to what was written down, not equal to it.
    expected = facts.validation["error_percent"]
    assert error_percent(network.eval(), some) == pytest.approx(expected, abs=0.8)


def test_the_target_is_held_against_four_looks() -> None:
    outcomes = {row: RowOutcome({0: {"error_percent": 1.5}}) for row in ROWS}
    (target,) = RefineStudy().report(outcomes, "").targets
    assert not target.is_met
    assert not RefineStudy().report({"cnn": outcomes["cnn"]}, "").targets


def test_the_picture_shows_the_digit_the_first_view_and_four_looks(tmp_path: Path) -> None:
    path = tmp_path / "views.jpg"
    RefineStudy().write_picture(shipped_weights("refine"), path)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape == (6 * 116 - 4, 8 * 116 - 4, 3)
