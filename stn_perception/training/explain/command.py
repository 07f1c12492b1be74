# SPDX-License-Identifier: Apache-2.0
"""`stn models explain`: from parsed arguments to the page."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from stn_perception.bags import BagError
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.training.explain.bag_cases import BagChoice, bag_cases
from stn_perception.training.explain.cases import CaseSource, ExplainError
from stn_perception.training.explain.explaining import explain_model
from stn_perception.training.explain.folder_cases import folder_cases
from stn_perception.training.explain.shipped_cases import generated_cases, labelled_cases

# A model that takes boxes as they come gets labelled ones about as loose as a detector's.
_BOX_JITTER = 0.025


def explain_from_command_line(parsed: argparse.Namespace) -> dict[str, Any]:
    """Make the page; returns its numbers.

    Raises:
        ValueError: one sentence on what is wrong with the input.
    """
    if parsed.limit < 1:
        raise ExplainError(f"limit is {parsed.limit}, expected at least 1")
    if parsed.output.suffix.lower() not in (".html", ".htm"):
        raise ExplainError(
            f"the page is to be {parsed.output}, expected a name that ends in .html"
        )
    if parsed.bag is None and (parsed.topic or parsed.detections):
        raise ExplainError("--topic and --detections choose in a bag, expected --bag with them")
    if parsed.generated is not None and parsed.truth:
        raise ExplainError("--truth is for a bag or a folder, generated scenes bring their own")
    archive = ModelArchive.open(parsed.name, device="cpu")
    try:
        source = _source(parsed, archive.card)
        return explain_model(archive, source, parsed.output, command_line(parsed), parsed.seed)
    except BagError as error:
        raise ExplainError(str(error)) from error


def _source(parsed: argparse.Namespace, card: ModelCard) -> CaseSource:
    if parsed.bag is not None:
        choice = BagChoice(parsed.bag, parsed.topic, parsed.detections, parsed.truth, parsed.limit)
        return bag_cases(choice)
    if parsed.folder is not None:
        if parsed.truth is None:
            own = labelled_cases(card.name, parsed.folder, parsed.seed, parsed.limit)
            if own is not None:
                return own
        jitter = card.box_sigma or _BOX_JITTER
        return folder_cases(parsed.folder, parsed.truth, parsed.seed, jitter, parsed.limit)
    return generated_cases(card.name, parsed.generated, parsed.seed)


def command_line(parsed: argparse.Namespace) -> str:
    """Return the command that makes the same page again."""
    words = ["stn", "models", "explain", str(parsed.name)]
    for name in ("bag", "folder", "generated", "topic", "detections", "truth"):
        value = getattr(parsed, name)
        if value not in (None, ""):
            words += [f"--{name}", str(value)]
    words += ["--seed", str(parsed.seed), "--limit", str(parsed.limit)]
    return shlex.join([*words, "--output", str(parsed.output)])
