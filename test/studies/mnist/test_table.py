# SPDX-License-Identifier: Apache-2.0
"""The table stands network by distortion, and says what was never trained."""

from stn_perception.studies.learning.outcomes import RowOutcome
from stn_perception.studies.mnist.rows import ROWS
from stn_perception.studies.mnist.table import report
from stn_perception.studies.report import Spread


def test_errors_stand_under_their_distortion_and_are_held_to_its_limit() -> None:
    outcomes = {name: RowOutcome() for name in ROWS}
    outcomes["st-cnn-tps-p"] = RowOutcome({0: {"error_percent": 0.5}, 1: {"error_percent": 0.9}})
    outcomes["cnn-p"] = RowOutcome({0: {"error_percent": 0.9}})
    made = report(outcomes, "stn study mnist")
    errors = {row["network"]: row for row in made.tables["Error on the test split, %"]}
    assert len(errors) == 8
    assert errors["st-cnn-tps"]["P"] == Spread((0.5, 0.9))
    assert errors["st-cnn-tps"]["R"] == "not yet run"
    (target,) = made.targets
    assert (target.name, target.value, target.limit) == ("st-cnn-tps-p, error %", 0.7, 0.6)
    assert not target.is_met


def test_rows_that_were_not_asked_for_are_left_out() -> None:
    made = report({"fcn-e": RowOutcome({0: {"error_percent": 3.0}})}, "stn study mnist")
    (row,) = made.tables["Error on the test split, %"]
    assert row["E"] == Spread((3.0,))
    assert row["R"] is None
