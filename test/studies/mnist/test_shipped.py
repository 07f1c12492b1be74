# SPDX-License-Identifier: Apache-2.0
"""What is shipped is what its facts say, as `stn study mnist` scores it."""

import pytest
import torch

from stn_perception.studies.learning.weights import read_weights, shipped_weights
from stn_perception.studies.mnist.lesson import error_percent, fixed_set
from stn_perception.studies.mnist.networks import PARAMETERS, digit_network
from stn_perception.studies.mnist.rows import ROWS

SHIPPED = sorted(shipped_weights("mnist").glob("*.pt"))


def test_every_file_is_of_a_row_and_of_its_network() -> None:
    assert SHIPPED
    for path in SHIPPED:
        row, seed = path.stem.rsplit("-", 1)
        facts = read_weights(path, digit_network(ROWS[row]))
        assert facts.command == f"stn study mnist --train --rows {row} --seeds {seed}"
        assert 0.98 * PARAMETERS < facts.parameters <= PARAMETERS


def test_half_precision_keeps_the_error_of_the_training() -> None:
    row = "st-cnn-affine-r"
    network = digit_network(ROWS[row])
    facts = read_weights(shipped_weights("mnist") / f"{row}-0.pt", network)
    with torch.no_grad():
        error = error_percent(network.eval(), fixed_set("validation", ROWS[row].kind))
    # Four digits of the ten thousand.
    assert error == pytest.approx(facts.validation["error_percent"], abs=0.04)
