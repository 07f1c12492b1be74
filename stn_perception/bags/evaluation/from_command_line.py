# SPDX-License-Identifier: Apache-2.0
"""`stn evaluate`: from the command line to the report."""

from __future__ import annotations

import argparse
import contextlib
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.finished_chunks import FinishedChunks
from stn_perception.bags.evaluation.options import EvaluationOptions
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.evaluation.run import Evaluator
from stn_perception.bags.evaluation.summary_text import summary_text
from stn_perception.bags.metrics.as_json import evaluation_json
from stn_perception.bags.metrics.parquet import write_parquet
from stn_perception.bags.metrics.thresholds import check_thresholds, read_thresholds
from stn_perception.bags.opening.default_cache import default_cache
from stn_perception.bags.report import WorstView, worst_views, write_report
from stn_perception.bags.truth import parse_truth
from stn_perception.runtime.json_file import write_json
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.parameters.reading import read_parameters

THRESHOLD_BROKEN = 3  # 2 is argparse's, for a command line that it cannot read
_WORST = 20


def evaluate(parsed: argparse.Namespace) -> int:
    """Run it.

    Returns:
        0; 1 where a recording could not be read; 3 where a threshold is broken.

    Raises:
        ValueError: Something given is of no use; the message says what was expected.
    """
    options = options_of(parsed)
    thresholds = None if parsed.thresholds is None else read_thresholds(parsed.thresholds)
    output: Path = parsed.output
    if output.exists() and not output.is_dir():
        raise BagError(f"{output} is a file, expected a folder for the report.")
    kept = FinishedChunks(output / ".chunks")
    with _Progress() as progress, Evaluator(options, kept, progress) as evaluator:
        with _made_folder(output):
            evaluation = evaluator.run(command_line(parsed))
        worst = worst_views(evaluation, _WORST)
        pictures = evaluator.pictures(worst)
        content = evaluation_json(evaluation)
        write_parquet(evaluation, output / "views.parquet")
        shown = [WorstView(r, *p) for r, p in zip(worst, pictures.result(), strict=True)]
    write_report(evaluation, shown, output / "report.html")
    write_json(output / "evaluation.json", content)
    write_json(parsed.json, content)
    kept.clear()
    print(summary_text(content))
    print(f"report: {output / 'report.html'}")
    status = _told(evaluation)
    for failure in check_thresholds(thresholds, evaluation) if thresholds is not None else ():
        print(f"stn evaluate: {failure}", file=sys.stderr)
        status = THRESHOLD_BROKEN
    return status


def options_of(parsed: argparse.Namespace) -> EvaluationOptions:
    """The validated options.

    Raises:
        ValueError: One is of no use.
    """
    parameters = NodeParameters() if parsed.params is None else read_parameters(parsed.params)
    try:
        return EvaluationOptions(
            bags=tuple(parsed.bags),
            models=tuple(parsed.model),
            parameters=parameters,
            images=tuple(parsed.image),
            detections=parsed.detections,
            boxes=parsed.boxes,
            truth=parse_truth(parsed.truth),
            references=parsed.references,
            probe_every=parsed.probe_every,
            probe_angle_deg=parsed.probe_angle,
            workers=parsed.workers,
            scheduler=parsed.scheduler,
            memory_limit=parsed.memory_limit,
            pin=parsed.pin,
            chunk_frames=parsed.chunk_frames,
            batch_frames=parsed.batch_frames,
            cache=parsed.cache or default_cache(),
            write=parsed.write,
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = "--" + str(first["loc"][0]).replace("_", "-").removesuffix("-deg")
        raise BagError(f"{name} is {first['input']!r}: {first['msg']}.") from error


def command_line(parsed: argparse.Namespace) -> str:
    """The command with every option that is not at its default."""
    from stn_perception.bags.evaluation.command import add_arguments

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    words = ["stn", "evaluate", *parsed.bags]
    for action in parser._actions:
        value = getattr(parsed, action.dest, None)
        if not action.option_strings or value in (None, action.default):
            continue
        if value is True:
            words.append(action.option_strings[-1])
            continue
        for each in value if isinstance(value, list) else [value]:
            words += [action.option_strings[-1], str(each)]
    return shlex.join(words)


@contextlib.contextmanager
def _made_folder(folder: Path) -> Iterator[None]:
    """A folder that is there before the work begins, and goes again where nothing came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # finished chunks lie in it
            folder.rmdir()
        raise


class _Progress:
    """A bar with the time that is left, where somebody looks."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> _Progress:
        return self

    def __call__(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = tqdm(total=total, unit="frame", disable=None)
        self._bar.update(done - self._bar.n)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _told(evaluation: Evaluation) -> int:
    status = 0
    for bag in evaluation.bags:
        for sentence in bag.sentences:
            print(f"{bag.name}: {sentence}", file=sys.stderr)
        if "unreadable_bags" in bag.skipped:
            status = 1
    return status
