# SPDX-License-Identifier: Apache-2.0
"""Evaluations with everything that a page can show."""

from __future__ import annotations

import numpy as np

from stn_perception.bags.evaluation.records import EvaluatedBag, Evaluation
from stn_perception.bags.report import WorstView, worst_views

from ..metrics.making import SQUARE, START_NS, evaluation, moved, view

LABELS = ("planar", "other")


def drive(seconds=12, labels=LABELS, name="drive", with_truth=True, **changes) -> Evaluation:
    """Three still objects seen by each model, with every optional number."""
    rng = np.random.default_rng(5)
    views = []
    for place, label in enumerate(labels):
        for frame in range(20 * seconds):
            for thing, left in (("stop", 0.0), ("yield", 300.0), ("no_entry", 600.0)):
                truth = moved((left, 0))
                sigma = 0.5 + 0.1 * (frame % 10)
                views.append(
                    view(
                        frame,
                        truth + rng.normal(0, sigma * (1 + place), (4, 2)),
                        truth if with_truth else None,
                        bag=name,
                        object_id=thing,
                        truth_id=thing if with_truth else "",
                        track_id=int(left),
                        model=label,
                        box=np.array([150 + left, 100, 120, 120, 0]),
                        corner_sigma_px=sigma,
                        sharpness=float(rng.gamma(3, 40)),
                        distance_m=1 + left / 300,
                        psnr_db=float(rng.normal(25, 2)),
                        ssim=float(rng.beta(20, 3)),
                        equivariance_error=float(rng.gamma(2, 0.01)),
                        valid_fraction=float(rng.uniform(0.8, 1.0)),
                    )
                )
    skipped = {"damaged_chunks": 2}
    told = ("The recording ends in the middle of a chunk.",)
    end_ns = START_NS + seconds * 10**9
    bag = EvaluatedBag(name, "/data", "ab" * 32, START_NS, end_ns, 20 * seconds, skipped, told)
    return evaluation(views, labels=labels, bags=(bag,), **changes)


def pictured(found: Evaluation, count=6) -> list[WorstView]:
    """The worst views with pictures of noise; the last one has no picture of its view."""
    rng = np.random.default_rng(0)
    chosen = worst_views(found, count)
    pictures = [
        (
            rng.integers(0, 255, (64, 64, 3), dtype=np.uint8),
            rng.integers(0, 255, (32, 32, 3), dtype=np.uint8),
        )
        for _ in chosen
    ]
    return [
        WorstView(record, overlay, None if record is chosen[-1] else small)
        for record, (overlay, small) in zip(chosen, pictures, strict=True)
    ]


__all__ = ["LABELS", "SQUARE", "drive", "evaluation", "moved", "pictured", "view"]
