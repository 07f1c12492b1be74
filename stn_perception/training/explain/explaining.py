# SPDX-License-Identifier: Apache-2.0
"""Make the page: run the model on the cases, measure, draw, write."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.explain.cases import CaseSource, ExplainError
from stn_perception.training.explain.observing import Observation, observe
from stn_perception.training.explain.page import page
from stn_perception.training.explain.sections import (
    deviation_section,
    failure_section,
    prediction_section,
)
from stn_perception.training.explain.sensitivity import occlusion_side_px
from stn_perception.training.explain.sensitivity_section import sensitivity_section
from stn_perception.training.explain.summary import badness, page_numbers
from stn_perception.training.explain.what_moves import Sensitivity, what_moves

# Crops that gradients and occlusions are measured on: minutes on one core for more.
SENSITIVITY_CASES = 40
_EXAMPLES = 9


def explain_model(
    archive: ModelArchive, source: CaseSource, output: Path, command: str, seed: int = 0
) -> dict[str, Any]:
    """Write the page about a model; the same arguments give the same bytes.

    Args:
        archive: the model, opened.
        source: what to look at it with.
        output: the HTML file.
        command: what is printed on the page as the command that made it.
        seed: of the bootstrap.

    Returns:
        The page's numbers, ready for JSON.

    Raises:
        ExplainError: there is no case.
        ModelError: the network fails.
        OSError: the page cannot be written.
    """
    observations = list(observe(archive, source.cases))
    if not observations:
        raise ExplainError(f"there is nothing to explain {archive.card.name} with: no case")
    numbers = page_numbers(observations, seed) | {
        "model": archive.card.name,
        "version": archive.card.version,
        "weights_sha256": archive.card.weights_sha256 or "not on the card",
        "file_sha256": hashlib.sha256(archive.path.read_bytes()).hexdigest(),
        "command": command,
        "source": source.sentence,
    }
    views = [o for o in observations if o.quad is not None]
    sections = [prediction_section(views, numbers), deviation_section(numbers)]
    if views:
        chosen, examples = _chosen(views)
        moved = what_moves(archive, [views[i].crop for i in chosen], examples)
        numbers["what_moves"] = _shares(moved)
        shown = [views[chosen[i]] for i in examples]
        side_px = occlusion_side_px(archive)
        sections.append(sensitivity_section(moved, shown, len(chosen), side_px))
    sections.append(failure_section(observations, numbers))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(output, page(archive, source.sentence, command, numbers, sections))
    return {key: _finite(value) for key, value in numbers.items()}


def _chosen(views: Sequence[Observation]) -> tuple[list[int], list[int]]:
    """Cases to measure, evenly from the best to the worst; places among them to show."""
    values, _ = badness(views)
    order = np.argsort(np.where(np.isfinite(values), values, np.inf), kind="stable")
    count = min(len(order), SENSITIVITY_CASES)
    chosen = order[np.linspace(0, len(order) - 1, count).round().astype(int)]
    examples = np.unique(np.linspace(0, count - 1, min(count, _EXAMPLES)).round().astype(int))
    return [int(i) for i in chosen], [int(i) for i in examples]


def _shares(moved: Sensitivity) -> dict[str, Any]:
    agreements = [each.agreement for each in moved.examples if each.agreement is not None]
    return {
        "why_no_gradient": moved.why_no_gradient,
        "gradient_shares": moved.gradient_shares,
        "occlusion_shares": moved.hidden_shares,
        "area_shares": moved.area_shares,
        "rank_correlation": float(np.median(agreements)) if agreements else None,
    }


def _finite(value: Any) -> Any:
    """JSON knows no NaN: such figures become null."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
