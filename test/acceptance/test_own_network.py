# SPDX-License-Identifier: Apache-2.0
"""A TorchScript file without a card, made by the README's ten lines, runs in the node."""

import json
from pathlib import Path

import numpy as np

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "duckiebot"


def test_the_identity_network_shows_each_box_as_it_is(own_network_run):
    frames = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    boxes = {
        frame["stamp_ns"]: [
            (*np.min(corners, axis=0), *np.max(corners, axis=0))
            for corners in frame["objects"].values()
        ]
        for frame in frames
    }
    views = own_network_run.views()
    assert len(views) > 50
    for slot, stamp in views:
        corners = np.array(own_network_run.info(slot, stamp)["corners"])
        shown = (*corners.min(axis=0), *corners.max(axis=0))
        distance = min(np.abs(np.subtract(shown, box)).max() for box in boxes[stamp])
        assert distance < 0.02, (slot, stamp)
