# SPDX-License-Identifier: Apache-2.0
"""How far labels between key frames are from the truth, on the sample recording's motion."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from stn_perception.bags.labelling.interpolation import between_keys

SAMPLE = Path(__file__).resolve().parents[3] / "samples" / "duckiebot"


def unbroken(frames: list[dict], name: str) -> list[list[dict]]:
    """Runs of frames in which the object is seen."""
    runs: list[list[dict]] = [[]]
    for frame in frames:
        if name in frame["objects"]:
            runs[-1].append(frame)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def errors(run: list[dict], name: str, step: int) -> tuple[list[float], list[float]]:
    """Mean corner distances of one run between exact key frames: ours and straight lines'."""
    times = np.array([(frame["stamp_ns"] - run[0]["stamp_ns"]) / 1e9 for frame in run])
    true = np.array([frame["objects"][name] for frame in run])
    keys = np.arange(0, len(run), step)
    if len(keys) < 2:
        return [], []
    others = np.setdiff1d(np.arange(keys[-1]), keys)
    ours = between_keys(times[keys], true[keys], times[others]).corners
    lines = np.empty_like(ours)
    for first, last in pairwise(keys):
        here = (others > first) & (others < last)
        part = ((times[others[here]] - times[first]) / (times[last] - times[first]))[:, None, None]
        lines[here] = (1 - part) * true[first] + part * true[last]
    found = [np.linalg.norm(made - true[others], axis=2).mean(axis=1) for made in (ours, lines)]
    return found[0].tolist(), found[1].tolist()


def main() -> None:
    """Print the table of docs/labelling.md."""
    frames = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    moving = [frame for frame in frames if frame["part"] == "motion"]
    names = sorted({name for frame in moving for name in frame["objects"]})
    print("| a key frame every | labels | median, 95 % | straight lines |\n|---|---|---|---|")
    for step in (3, 5, 10, 15, 20):
        ours, lines = [], []
        for name in names:
            for run in unbroken(moving, name):
                found = errors(run, name, step)
                ours += found[0]
                lines += found[1]
        shown = [f"{np.median(e):.2f}, {np.percentile(e, 95):.2f} px" for e in (ours, lines)]
        print(f"| {step} frames | {len(ours)} | {shown[0]} | {shown[1]} |")


if __name__ == "__main__":
    main()
