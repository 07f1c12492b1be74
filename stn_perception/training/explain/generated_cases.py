# SPDX-License-Identifier: Apache-2.0
"""Cases that are drawn: held-out scenes of the kind a model is scored on."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

from stn_perception.training.explain.cases import Case, CaseSource, ExplainError
from stn_perception.training.explain.folder_cases import case_of_sample

# (count, seed) to cases, by the card's name. Imported when used: each has its dependencies.
Generate = Callable[[int, int], Iterator[Case]]
GENERATORS: dict[str, str] = {}


def generated_cases(model_name: str, count: int, seed: int) -> CaseSource:
    """Draw held-out scenes for a model; unknown names get textured quadrilaterals.

    Args:
        model_name: the card's.
        count: how many.
        seed: of the scenes.

    Raises:
        ExplainError: fewer than one is asked for.
    """
    if count < 1:
        raise ExplainError(f"{count} generated scenes are asked for, expected at least 1")
    where = GENERATORS.get(model_name)
    generate: Generate = _quads
    if where:
        module, name = where.split(":")
        generate = getattr(importlib.import_module(module), name)
    return CaseSource(
        f"{count} held-out scenes drawn with seed {seed}.",
        generate(count, seed),
    )


def _quads(count: int, seed: int) -> Iterator[Case]:
    from stn_perception.training.pool import scene
    from stn_perception.training.scoring import SCORED_SCENES

    for index in range(count):
        sample = scene(seed, index, SCORED_SCENES, held_out=True)
        yield case_of_sample(f"{sample.kind} {index}", sample)
