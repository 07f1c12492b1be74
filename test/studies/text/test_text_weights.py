# SPDX-License-Identifier: Apache-2.0
"""What is committed scores as the published table says."""

import json
from pathlib import Path

import pytest
import torch

from stn_perception.studies.learning.running import score_rows
from stn_perception.studies.learning.weights import shipped_weights
from stn_perception.studies.text.study import TextStudy

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "studies" / "text.json"
ROWS = ("topics-gru-stn", "hidden-gru-stn")


@pytest.mark.parametrize("row", ROWS)
def test_committed_weights_score_as_published(row: str) -> None:
    torch.set_num_threads(1)
    tables = json.loads(PUBLISHED.read_text())["tables"].values()
    published = next(cells for table in tables for cells in table if cells["row"] == row)
    found = score_rows(TextStudy(), [row], [0], shipped_weights("text"), "cpu")[row]
    # One text more or less is a quarter of a percent: other processors round otherwise.
    assert found.scores[0]["accuracy_percent"] == pytest.approx(
        published["accuracy %"]["mean"], abs=0.3
    )
