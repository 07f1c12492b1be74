# SPDX-License-Identifier: Apache-2.0
"""The models of a run."""

from __future__ import annotations

import hashlib

from stn_perception.bags.evaluation.chunk import ModelChoice
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.records import ModelFacts
from stn_perception.bags.evaluation.worker_state import archive_of
from stn_perception.runtime.archive import resolve_model
from stn_perception.runtime.parameters.settings import ModelSettings


def model_choices(options: EvaluationOptions) -> tuple[ModelChoice, ...]:
    """The models of a run, each with a label of its own.

    Raises:
        ArchiveError: A file is not there.
    """
    choices: list[ModelChoice] = []
    for name in options.models or (options.parameters.model.model,):
        path = resolve_model(name)
        label = _free_label(path.stem, {choice.label for choice in choices})
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        choices.append(ModelChoice(label, str(path.absolute()), sha256))
    return tuple(choices)


def model_facts(model: ModelChoice, settings: ModelSettings) -> ModelFacts:
    """Which network it is."""
    card = archive_of(model, settings).card
    return ModelFacts(card.name, card.version, model.sha256, model.path)


def _free_label(stem: str, taken: set[str]) -> str:
    number, label = 1, stem
    while label in taken:
        number += 1
        label = f"{stem} ({number})"
    return label
