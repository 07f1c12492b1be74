# SPDX-License-Identifier: Apache-2.0
"""The transformers that come with the package find digits of their own class, also new ones."""

import pytest

from stn_perception.studies.colocalize.found import found_percent, views_of
from stn_perception.studies.colocalize.localizers import DigitLocalizers
from stn_perception.studies.colocalize.pictures import class_pictures
from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path


@pytest.mark.parametrize(("digit", "at_least"), [(0, 97), (1, 80)])
def test_digits_that_were_never_trained_on_are_found(digit: int, at_least: float) -> None:
    network = DigitLocalizers()
    read_weights(weights_path(shipped_weights("colocalize"), "cluttered", 0), network)
    others = class_pictures(digit, True, "test", 60)
    theta = views_of(network.eval().of(digit), others.images)
    assert found_percent(theta, others) >= at_least
    assert found_percent(theta.roll(1, 0), others) < 30
