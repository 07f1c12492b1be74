# SPDX-License-Identifier: Apache-2.0
"""`stn bench growth` fits and draws what it measured."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from stn_perception.benchmarks.growth.measure import lines
from stn_perception.benchmarks.growth.plots import plots
from stn_perception.benchmarks.report import Cell
from stn_perception.cli import main


def made_up_rows() -> list[dict[str, Cell]]:
    rows: list[dict[str, Cell]] = []
    for over, units in (("objects", (1, 4, 16, 64)), ("megapixels", (0.3, 2.0, 8.0))):
        for unit in units:
            rows.append(
                {
                    "over": over,
                    "objects": unit if over == "objects" else 4,
                    "megapixels": unit if over == "megapixels" else 0.3,
                    "all ms": 3.0 + unit,
                    "network ms": 2.0 + 0.75 * unit,
                    "rest ms": 1.0 + 0.25 * unit,
                }
            )
    return rows


@pytest.mark.parametrize("over", ["objects", "megapixels"])
def test_costs_are_taken_apart_over_their_own_units(over: str) -> None:
    fitted = lines(made_up_rows(), over)
    for part, expected in {"all": (3, 1), "network": (2, 0.75), "rest": (1, 0.25)}.items():
        assert (fitted[part].fixed_ms, fitted[part].marginal_ms) == pytest.approx(expected)


def test_the_plots_are_one_picture_with_both_growths() -> None:
    root = ElementTree.fromstring(plots(made_up_rows()))
    assert root.tag.endswith("svg")
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    assert {"objects in the frame", "megapixels of the frame"} <= set(texts)
    assert texts.count("rest: 1.00 + 0.250 each") == 2
    dots = [element for element in root.iter() if element.tag.endswith("circle")]
    assert len(dots) == 3 * (4 + 3) + 2 * 3  # measurements and legends


def test_the_command_measures_draws_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, picture = tmp_path / "growth.json", tmp_path / "plots" / "growth.svg"
    arguments = ["--most", "2", "--rounds", "1", "--threads", "1", "--backend", "opencv"]
    files = ["--json", str(figures), "--svg", str(picture)]
    assert main(["bench", "growth", *arguments, *files]) == 0
    rows = json.loads(figures.read_text())["rows"]
    assert [row["case"] for row in rows] == [
        *("vga-1", "vga-2"),
        *("vga-4", "720p-4", "1080p-4", "1440p-4", "4k-4"),
    ]
    assert all(row["rest ms"] > 0 and row["network ms"] > 0 for row in rows)
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert "Over objects, ms fixed + ms for each object: all " in capsys.readouterr().out


def test_an_odd_number_of_objects_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "growth", "--most", "5"]) == 1
    assert "most is 5, expected one of 2, 4, 8, 16, 32, 64, 128, 256" in capsys.readouterr().err
