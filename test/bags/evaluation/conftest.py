# SPDX-License-Identifier: Apache-2.0
"""A short recording, and what it takes to compare evaluations of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from stn_perception.bags.evaluation.finished_chunks import FinishedChunks
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.evaluation.run import Evaluator
from stn_perception.benchmarks.evaluation.looped_bag import Loop, write_looped_bag
from stn_perception.runtime.parameters.parameters import NodeParameters

sys.path.insert(0, str(Path(__file__).parent))

from evaluation_digest import FRAMES, digest

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


@pytest.fixture(scope="session")
def short_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of VGA at 30 Hz with two boxes a frame."""
    bag = tmp_path_factory.mktemp("short") / "bag"
    write_looped_bag(SAMPLE, bag, Loop(seconds=FRAMES / 30, objects=2))
    return bag


@pytest.fixture
def evaluate(short_bag: Path, tmp_path: Path) -> Callable[..., Evaluation]:
    """Evaluate the short recording with smoothed tracks; chunks lie in ``tmp_path / 'kept'``."""
    return partial(evaluation_of, short_bag, tmp_path)


@pytest.fixture(scope="session")
def undisturbed(short_bag: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Digest of an evaluation in this process in one piece."""
    found = evaluation_of(short_bag, tmp_path_factory.mktemp("undisturbed"), chunk_frames=1000)
    assert len(found.frames) == FRAMES
    assert len(found.views) == 2 * FRAMES
    return digest(found)


def evaluation_of(bag: Path, folder: Path, **options: Any) -> Evaluation:
    progress = options.pop("progress", lambda done, total: None)
    given = EvaluationOptions(
        **{
            "bags": (str(bag),),
            "parameters": NodeParameters.from_ros({"smoothing": 0.5}),
            "workers": 0,
            "probe_every": 20,
            "cache": folder / "cache",
            **options,
        }
    )
    return Evaluator(given, FinishedChunks(folder / "kept"), progress).run("a command")
