# SPDX-License-Identifier: Apache-2.0
"""Hand-made records."""

from __future__ import annotations

import numpy as np

from stn_perception.bags.evaluation.records import (
    EvaluatedBag,
    Evaluation,
    FrameRecord,
    ModelFacts,
    ViewRecord,
)

SQUARE = np.array([(100.0, 50.0), (200.0, 50.0), (200.0, 150.0), (100.0, 150.0)])
BOX = np.array([150.0, 100.0, 120.0, 120.0, 0.0])
START_NS = 1_700_000_000_000_000_000
PERIOD_NS = 50_000_000


def view(frame=0, corners=SQUARE, truth=SQUARE, **changes) -> ViewRecord:
    values = {
        "bag": "drive",
        "camera": "front",
        "model": "planar",
        "frame": frame,
        "stamp_ns": START_NS + frame * PERIOD_NS,
        "object_id": "sign",
        "track_id": 1,
        "class_id": "stop",
        "score": 0.9,
        "corners": np.asarray(corners, dtype=np.float64),
        "box": BOX,
        "truth_id": "sign" if truth is not None else "",
        "truth": truth,
    }
    return ViewRecord(**{**values, **changes})


def moved(by, corners=SQUARE):
    return corners + np.asarray(by, dtype=np.float64)


def box(right=0.0, angle_rad=0.0):
    """A box about the square, moved or turned."""
    return BOX + np.array([right, 0, 0, 0, angle_rad])


def frame_of(views, boxes=None, truths=0, missed=0, dropped=None) -> FrameRecord:
    first = views[0]
    return FrameRecord(
        bag=first.bag,
        camera=first.camera,
        model=first.model,
        frame=first.frame,
        stamp_ns=first.stamp_ns,
        boxes=len(views) if boxes is None else boxes,
        views=len(views),
        truths=truths,
        truth_missed=missed,
        dropped=dropped or {},
    )


def evaluation(views, frames=None, labels=("planar",), bags=None) -> Evaluation:
    if frames is None:
        together = {}
        for one in views:
            together.setdefault((one.model, one.bag, one.camera, one.frame), []).append(one)
        frames = [frame_of(group) for group in together.values()]
    counted = len({(f.bag, f.camera, f.frame) for f in frames})
    if bags is None:
        bags = (EvaluatedBag("drive", "/data/drive", "ab" * 32, START_NS, START_NS + 1, counted),)
    models = {label: ModelFacts(label, "1.0", "cd" * 32, f"{label}.pt") for label in labels}
    command = "stn evaluate drive --model planar"
    return Evaluation(tuple(bags), models, tuple(views), tuple(frames), command, 2.0)


def trembling(seconds=8, noise_px=1.0, seed=1, model="planar", **changes) -> list[ViewRecord]:
    """Views of one still object, every corner off by independent normal errors."""
    rng = np.random.default_rng(seed)
    count = round(seconds * 1e9 / PERIOD_NS)
    noise = rng.normal(0, noise_px, (count, 4, 2))
    return [view(k, SQUARE + noise[k], model=model, **changes) for k in range(count)]
