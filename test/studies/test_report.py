# SPDX-License-Identifier: Apache-2.0
"""Figures over seeds, and results for machines that come whole or not at all."""

import json
from pathlib import Path

import pytest

from stn_perception.runtime.report_parts import Target
from stn_perception.studies.report import Spread, StudyReport, publish, shown

REPORT = StudyReport(
    name="some",
    command="stn study some",
    tables={"First": [{"method": "ours", "px": Spread((1.0, 2.0, 3.0)), "ms": 40.0, "°": None}]},
    targets=[Target("px", 2.0, 1.5), Target("share", 0.9, 0.9, at_least=True)],
)


def test_a_figure_over_seeds_is_mean_and_sample_standard_deviation() -> None:
    assert shown(Spread((1.0, 2.0, 3.0))) == "2.00 ± 1.0"
    assert shown(Spread((0.25,))) == "0.250 (one seed)"


@pytest.mark.parametrize(
    ("value", "text"), [(0.00123, "0.00123"), (1234.0, "1234"), (9.999, "10.00"), (0.0, "0")]
)
def test_three_digits_count(value: float, text: str) -> None:
    assert shown(value) == text


def test_a_missed_target_says_by_how_much() -> None:
    assert REPORT.targets[0].sentence(shown) == "px: 2.00 (target ≤ 1.50), NOT met by 0.500"
    assert REPORT.targets[1].sentence(shown).endswith("met")


def test_the_table_and_the_file_for_machines_say_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(REPORT, tmp_path / "new" / "some.json") == 0
    assert "| ours | 2.00 ± 1.0 | 40.0 | – |" in capsys.readouterr().out
    content = json.loads((tmp_path / "new" / "some.json").read_text())
    assert content["tables"]["First"][0]["px"] == {"mean": 2.0, "sd": 1.0, "seeds": [1, 2, 3]}
    assert [target["met"] for target in content["targets"]] == [False, True]
