# SPDX-License-Identifier: Apache-2.0
"""How many refinement steps pay: the last whose gain on the same samples is beyond chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RESAMPLES = 1000
_NUMBERS = ("no refinement step", "one refinement step")


def steps_that_pay(errors: Mapping[int, Array], data: str, unit: str, seed: int) -> dict[str, Any]:
    """Compare the errors after 0, 1, 2, … steps, each with those of one step less.

    A step pays where the gain in the mean or in the median has a 95 % interval above zero (paired
    bootstrap: the same resampled samples before and after) and the other's is not below zero. The
    first that does not ends the search.

    Args:
        errors: by number of steps (0, 1, 2, … without gaps), one error per sample, N, of the
            same samples in the same order.
        data: name of the data, for the sentence.
        unit: of the errors, for the sentence.
        seed: of the bootstrap.

    Returns:
        ``data``, ``samples``, ``steps`` (how many pay), ``gains``: a list of ``step``, ``mean``
        and ``median`` (each ``value``, ``low``, ``high``; above zero: better), ``pays``; and
        ``sentence``.

    Raises:
        ValueError: steps are missing, or the errors are not of the same two or more samples.
    """
    numbers = sorted(errors)
    if numbers != list(range(len(numbers))) or len(numbers) < 2:
        raise ValueError(f"errors are given for {numbers} steps, expected 0, 1, … without gaps")
    values = np.stack([np.asarray(errors[n], dtype=np.float64) for n in numbers])
    count = values.shape[1]
    if count < 2 or not np.isfinite(values).all():
        raise ValueError(f"{count} samples are given, expected at least 2 with finite errors")
    rng = np.random.default_rng(seed)
    means, medians = [], []
    for _ in range(_RESAMPLES):
        picked = values[:, rng.integers(0, count, count)]
        means.append(picked.mean(axis=1))
        medians.append(np.median(picked, axis=1))
    gains: list[dict[str, Any]] = [
        {
            "step": step,
            "mean": _gain(values.mean(axis=1), np.array(means), step),
            "median": _gain(np.median(values, axis=1), np.array(medians), step),
        }
        for step in numbers[1:]
    ]
    for gain in gains:
        gain["pays"] = _pays(gain)
    steps = next((gain["step"] - 1 for gain in gains if not gain["pays"]), numbers[-1])
    found = {"data": data, "samples": count, "steps": steps, "gains": gains}
    return found | {"sentence": _sentence(found, unit)}


def _gain(figures: Array, resampled: Array, step: int) -> dict[str, float]:
    low, high = np.percentile(resampled[:, step - 1] - resampled[:, step], [2.5, 97.5])
    value = figures[step - 1] - figures[step]
    return {"value": round(float(value), 4), "low": round(low, 4), "high": round(high, 4)}


def _pays(gain: Mapping[str, Any]) -> bool:
    mean, median = gain["mean"], gain["median"]
    better = mean["low"] > 0 or median["low"] > 0
    return bool(better and mean["high"] >= 0 and median["high"] >= 0)


def _sentence(found: Mapping[str, Any], unit: str) -> str:
    steps: int = found["steps"]
    gains: Sequence[Mapping[str, Any]] = found["gains"]
    count = _NUMBERS[steps] if steps < 2 else f"{steps} refinement steps"
    verb = "pays" if steps < 2 else "pay"
    parts = []
    if steps:
        parts.append(f"step {steps} lowers {_told(gains[steps - 1], unit)}")
    if steps < len(gains):
        parts.append(f"step {steps + 1} would lower {_told(gains[steps], unit)}")
    else:
        parts.append("more were not tried")
    return f"On {found['data']} (n = {found['samples']}), {count} {verb}: {'; '.join(parts)}."


def _told(gain: Mapping[str, Any], unit: str) -> str:
    told = [
        f"the {name} error by {g['value']:.2g} {unit} ({g['low']:.2g} to {g['high']:.2g})"
        for name, g in (("mean", gain["mean"]), ("median", gain["median"]))
    ]
    return " and ".join(told)
