# SPDX-License-Identifier: Apache-2.0
import json

from stn_perception.benchmarks.report import BenchReport, publish, shown
from stn_perception.runtime.report_parts import Target, markdown_table


def report():
    return BenchReport(
        name="sample",
        command="stn bench sample",
        rows=[{"case": "one", "times ours": 5.1234, "ours ms": 0.25, "peer ms": None}],
        targets=[
            Target("ratio", 5.1, 5.0, at_least=True),
            Target("milliseconds", 9.0, 8.0, at_least=False),
        ],
        notes=["Nothing was left out."],
    )


def test_the_table_shows_three_digits_and_a_dash_for_nothing():
    assert markdown_table(report().rows, shown).splitlines() == [
        "| case | times ours | ours ms | peer ms |",
        "| --- | --- | --- | --- |",
        "| one | 5.12 | 0.25 | – |",
    ]


def test_a_missed_target_is_said_and_is_no_failure(tmp_path, capsys):
    assert publish(report(), tmp_path / "new" / "figures.json") == 0
    printed = capsys.readouterr().out
    assert "- ratio: 5.1 (target ≥ 5), met" in printed
    assert "- milliseconds: 9 (target ≤ 8), NOT met by 1" in printed
    content = json.loads((tmp_path / "new" / "figures.json").read_text())
    assert [target["met"] for target in content["targets"]] == [True, False]
    assert content["rows"][0]["times ours"] == 5.1234
    assert content["machine"]["cores"] >= 1 and "torch" in content["machine"]["packages"]
