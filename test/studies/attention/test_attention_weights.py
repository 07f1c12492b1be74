# SPDX-License-Identifier: Apache-2.0
"""What is committed scores as the published table says."""

import json
from pathlib import Path

import pytest
import torch

from stn_perception.studies.attention.study import AttentionStudy
from stn_perception.studies.learning.running import score_rows
from stn_perception.studies.learning.weights import shipped_weights

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "studies" / "attention.json"


def test_committed_weights_score_as_published() -> None:
    torch.set_num_threads(1)
    (table,) = json.loads(PUBLISHED.read_text())["tables"].values()
    published = next(cells for cells in table if cells["row"] == "glimpses-stn")
    outcomes = score_rows(
        AttentionStudy(), ["glimpses-stn"], [0], shipped_weights("attention"), "cpu"
    )
    assert outcomes["glimpses-stn"].scores[0]["digits_percent"] == pytest.approx(
        published["digits right, %"]["mean"], abs=0.3
    )
