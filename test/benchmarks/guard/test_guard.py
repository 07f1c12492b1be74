# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

from stn_perception.benchmarks.guard import compare
from stn_perception.benchmarks.guard.figures import counted_calls
from stn_perception.cli import main

COMMITTED = Path(__file__).parents[3] / "benchmarks" / "guard.json"


@pytest.mark.slow
def test_nothing_has_become_slower_than_the_committed_figures(capsys) -> None:
    status = main(["bench", "guard", "--figures", str(COMMITTED)])
    assert status == 0, capsys.readouterr().out


def write(file: Path, **changes: object) -> Path:
    content = {
        "processor": compare.machine()["processor"],
        "ratios": {"warp": 2.0},
        "counts": {"calls": 100.0},
    }
    file.write_text(json.dumps(content | changes))
    return file


@pytest.fixture
def measured(monkeypatch):
    """Let the guard measure given values, each list one attempt after the other."""

    def give(ratios: list[float], calls: float) -> None:
        attempts = iter(ratios)
        monkeypatch.setattr(compare, "ratio_figures", lambda: {"warp": lambda: next(attempts)})
        monkeypatch.setattr(compare, "count_figures", lambda: {"calls": lambda: calls})

    return give


def test_a_loss_that_stays_is_found(measured, tmp_path, capsys) -> None:
    measured([3.0, 3.1, 3.0, 3.2], 100.0)
    assert compare.compare_with(write(tmp_path / "figures.json"), None) == 1
    assert "warp: now / committed: 1.5 (target ≤ 1.4), NOT met by 0.1" in capsys.readouterr().out
    measured([2.0], 150.0)
    assert compare.compare_with(tmp_path / "figures.json", None) == 1


def test_what_disturbed_one_attempt_is_no_loss(measured, tmp_path) -> None:
    measured([9.0, 2.1], 101.0)
    assert compare.compare_with(write(tmp_path / "figures.json"), None) == 0


def test_ratios_of_another_processor_are_shown_and_not_judged(measured, tmp_path, capsys) -> None:
    measured([9.0], 100.0)
    file = write(tmp_path / "figures.json", processor="a processor of long ago")
    assert compare.compare_with(file, None) == 0
    assert "'a processor of long ago': shown here, not judged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{}", "holds no figures of the guard: processor: Field required"),
        ("nonsense", "holds no figures of the guard: the file: Invalid JSON"),
    ],
)
def test_a_file_without_figures_is_refused(content, sentence, tmp_path, capsys) -> None:
    file = tmp_path / "figures.json"
    file.write_text(content)
    assert main(["bench", "guard", "--figures", str(file)]) == 1
    assert sentence in capsys.readouterr().err


def test_a_file_of_other_figures_is_refused(measured, tmp_path, capsys) -> None:
    measured([2.0], 100.0)
    file = write(tmp_path / "figures.json", ratios={"warp": 2.0, "gone": 1.0})
    assert main(["bench", "guard", "--figures", str(file)]) == 1
    assert "differ in ['gone'] from those measured" in capsys.readouterr().err
    assert main(["bench", "guard", "--figures", str(tmp_path / "none.json")]) == 1
    assert f"No such file or directory: {tmp_path / 'none.json'}" in capsys.readouterr().err


def test_calls_are_counted_and_always_the_same() -> None:
    def job() -> None:
        for _ in range(10):
            abs(min(1, 2))

    assert counted_calls(job) == counted_calls(job) >= 21
    assert counted_calls(lambda: job() or job()) >= 42
