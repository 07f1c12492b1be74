# SPDX-License-Identifier: Apache-2.0
"""Rows are trained once, kept small, scored again, and told apart from what was never trained."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.fit_settings import FitSettings
from stn_perception.studies.learning.learned_study import LearnedStudy
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.learning.options import add_learning_options, run_learned_study
from stn_perception.studies.learning.outcomes import Outcomes
from stn_perception.studies.learning.running import score_rows, train_rows
from stn_perception.studies.learning.weights import read_weights, weights_path
from stn_perception.studies.report import StudyReport


class Sides:
    """Which side of a line a point lies on: learned in a second."""

    localization = ()

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def batch(self, count: int, generator: torch.Generator) -> Any:
        points = torch.rand(count, 2, generator=generator) * 2 - 1
        return points, (points.sum(dim=1) > 0).long()

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        return nn.functional.cross_entropy(network(batch[0]), batch[1])

    def validation(self, network: nn.Module) -> Mapping[str, float]:
        return {"error_percent": error_percent(network, 1)}


def error_percent(network: nn.Module, seed: int) -> float:
    points, sides = Sides(network).batch(1000, torch.Generator().manual_seed(seed))
    found = network(points.to(device_of(network))).argmax(dim=1).cpu()
    return float((found != sides).float().mean()) * 100


class SmallStudy(LearnedStudy):
    name = "sides"
    rows = ("linear", "wide")

    def network(self, row: str) -> nn.Module:
        width = 2 if row == "linear" else 16
        return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, 2))

    def lesson(self, row: str, network: nn.Module) -> Sides:
        return Sides(network)

    def settings(self, row: str) -> FitSettings:
        return FitSettings(steps=150, batch_size=32, learning_rate=0.05, average_decay=0.9)

    def scores(self, row: str, network: nn.Module) -> Mapping[str, float]:
        return {"error_percent": error_percent(network, 2)}

    def report(self, outcomes: Outcomes, command: str) -> StudyReport:
        rows = [
            {"row": row, "error %": outcome.spread("error_percent"), "min": outcome.parameters}
            for row, outcome in outcomes.items()
        ]
        return StudyReport(self.name, command, {"Sides": rows})


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_learning_options(parser)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--json", type=Path)
    return run_learned_study(SmallStudy(), parser.parse_args([str(word) for word in words]))


def test_a_trained_row_is_scored_from_its_file_and_the_others_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "result.json"
    words = ("--weights", tmp_path, "--device", "cpu")
    assert run(*words, "--train", "--rows", "wide", "--seeds", "0", "3") == 0
    assert run(*words, "--seeds", "0", "3", "4", "--json", result) == 0
    assert "| linear | not yet run |" in capsys.readouterr().out
    linear, wide = json.loads(result.read_text())["tables"]["Sides"]
    assert linear["error %"] == "not yet run"
    assert len(wide["error %"]["seeds"]) == 2
    assert wide["error %"]["mean"] < 5


def test_a_row_that_is_there_is_not_trained_again(tmp_path: Path) -> None:
    train_rows(SmallStudy(), ["linear"], [0], tmp_path, "cpu")
    path = weights_path(tmp_path, "linear", 0)
    before = path.stat().st_mtime_ns
    train_rows(SmallStudy(), ["linear"], [0], tmp_path, "cpu")
    assert path.stat().st_mtime_ns == before


def test_the_same_seed_gives_the_same_network_and_another_seed_another(tmp_path: Path) -> None:
    states = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_rows(SmallStudy(), ["wide"], [seed], tmp_path / folder, "cpu")
        network = SmallStudy().network("wide")
        read_weights(weights_path(tmp_path / folder, "wide", seed), network)
        states.append(torch.cat([p.flatten() for p in network.parameters()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_the_facts_say_how_a_network_came_to_be(tmp_path: Path) -> None:
    train_rows(SmallStudy(), ["linear"], [7], tmp_path, "cpu")
    facts = score_rows(SmallStudy(), ["linear"], [7], tmp_path, "cpu")["linear"].facts[7]
    assert facts.command == "stn study sides --train --rows linear --seeds 7"
    assert (facts.seed, facts.parameters, facts.samples) == (7, 12, 150 * 32)
    assert facts.validation["error_percent"] < 50


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    train_rows(SmallStudy(), ["linear"], [0], tmp_path, "cpu")
    path = weights_path(tmp_path, "linear", 0)
    with pytest.raises(StudyError, match="holds no weights of this network"):
        read_weights(path, SmallStudy().network("wide"))


def test_half_a_file_is_refused(tmp_path: Path) -> None:
    train_rows(SmallStudy(), ["linear"], [0], tmp_path, "cpu")
    path = weights_path(tmp_path, "linear", 0)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(StudyError, match=r"linear-0\.pt holds no weights"):
        score_rows(SmallStudy(), ["linear"], [0], tmp_path, "cpu")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--rows", "curved"), "no row 'curved', expected some of linear, wide"),
        (("--seeds", "-1"), "a seed is -1, expected at least 0"),
    ],
)
def test_a_wrong_choice_is_told_in_a_sentence(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        run(*words)
