# SPDX-License-Identifier: Apache-2.0
"""What a model costs is measured on the whole way of its objects."""

import torch

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.speed import measure_speed


def test_the_canonicalizer_costs_more_than_its_network_and_threads_are_given_back() -> None:
    archive = ModelArchive.open("planar", device="cpu")
    threads = torch.get_num_threads()
    speed = measure_speed(archive)
    assert torch.get_num_threads() == threads
    assert speed["passes"] == archive.card.refinement_steps + 1
    assert 0 < speed["network"]["fastest"] <= speed["network"]["median"]
    assert speed["network"]["fastest"] < speed["canonicalizer"]["fastest"]
