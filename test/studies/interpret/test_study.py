# SPDX-License-Identifier: Apache-2.0
"""The table joins the networks of two studies and holds those on R to the targets."""

from pathlib import Path

import pytest

from stn_perception.cli import main
from stn_perception.stn import SpatialTransformer
from stn_perception.studies.digits.distortion import KINDS
from stn_perception.studies.errors import StudyError
from stn_perception.studies.interpret.measuring import figures, measure
from stn_perception.studies.interpret.study import MNIST_ROWS, InterpretStudy
from stn_perception.studies.interpret.table import report
from stn_perception.studies.learning.outcomes import RowOutcome
from stn_perception.studies.learning.weights import read_weights, shipped_weights
from stn_perception.studies.mnist.networks import digit_network
from stn_perception.studies.mnist.rows import ROWS

SCORES = {
    "median_deg": 3.0,
    "r_squared": 0.99,
    "slope": 0.9,
    "digit_median_deg": 1.5,
    "digit_r_squared": 0.9,
}


def test_networks_on_r_are_held_to_the_targets_and_others_are_shown() -> None:
    made = report(
        {"st-cnn-affine-r": RowOutcome({0: SCORES}), "st-cnn-affine-rts": RowOutcome({0: SCORES})},
        "stn study interpret",
    )
    met = {target.name: target.is_met for target in made.targets}
    assert met == {
        "st-cnn-affine-r, by class, median °": False,
        "st-cnn-affine-r, by class, R²": True,
        "st-cnn-affine-r, by digit, median °": True,
        "st-cnn-affine-r, by digit, R²": False,
    }
    (table,) = made.tables.values()
    assert [row["network"] for row in table] == ["st-cnn-affine-r", "st-cnn-affine-rts"]


def test_a_transformer_that_turns_nothing_explains_nothing() -> None:
    network = digit_network(ROWS["st-cnn-affine-r"]).eval()
    found = figures(measure(network.transformer, "R", "validation"))
    assert found["slope"] == pytest.approx(0, abs=0.05)
    assert found["r_squared"] < 0.1
    assert found["median_deg"] > 30


def test_elastic_digits_have_no_angle_and_hosts_alone_none_either() -> None:
    assert {row.kind for row in MNIST_ROWS.values()} == set(KINDS) - {"E"}
    network = digit_network(ROWS["st-cnn-affine-e"])
    with pytest.raises(StudyError, match="the distortion E has no angle"):
        measure(network.transformer, "E", "validation")
    with pytest.raises(StudyError, match="no transformer whose angles"):
        measure(digit_network(ROWS["cnn-r"]).transformer, "R", "validation")


def test_a_plot_of_nothing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "stn_perception.studies.interpret.study.shipped_weights", lambda study: tmp_path
    )
    path = tmp_path / "angles.svg"
    words = ["study", "interpret", "--weights", str(tmp_path), "--plot", str(path)]
    assert main(words) == 1
    assert "holds no network whose angles could be drawn" in capsys.readouterr().err
    assert not path.exists()


def test_the_two_rows_of_its_own_are_one_transformer() -> None:
    study = InterpretStudy()
    whole, alone = (study.network(row).state_dict() for row in study.rows)
    of_transformer = {
        name.removeprefix("transformer."): value
        for name, value in whole.items()
        if name.startswith("transformer.")
    }
    assert {n: v.shape for n, v in of_transformer.items()} == {
        n: v.shape for n, v in alone.items()
    }


def test_what_is_shipped_is_as_good_as_its_facts_say() -> None:
    study = InterpretStudy()
    shipped = sorted(shipped_weights("interpret").glob("*.pt"))
    assert shipped[-1].stem == "supervised-affine-r-0"
    transformer = study.network("supervised-affine-r")
    assert isinstance(transformer, SpatialTransformer)
    facts = read_weights(shipped[-1], transformer)
    found = figures(measure(transformer.eval(), "R", "validation"))
    assert found["median_deg"] == pytest.approx(facts.validation["median_deg"], rel=0.02)
    assert found["r_squared"] == pytest.approx(facts.validation["r_squared"], abs=0.003)
