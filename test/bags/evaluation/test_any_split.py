# SPDX-License-Identifier: Apache-2.0
"""However the work is cut, spread, lost and taken up again: the same bits."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from evaluation_digest import digest

from stn_perception.bags.evaluation.records import Evaluation

Evaluate = Callable[..., Evaluation]


@pytest.mark.parametrize("size", [1, 20, 47])
def test_the_size_of_chunks_does_not_show(evaluate: Evaluate, undisturbed: str, size: int) -> None:
    assert digest(evaluate(chunk_frames=size)) == undisturbed


def test_neither_do_processes_nor_the_loss_of_one(evaluate: Evaluate, undisturbed: str) -> None:
    killed: list[int] = []

    def lose_one(done: int, total: int) -> None:
        if not killed:
            # Workers are copies of a process that this one started.
            copied = psutil.Process().children()
            workers = [worker for process in copied for worker in process.children()]
            killed.append(workers[0].pid)
            os.kill(workers[0].pid, signal.SIGKILL)

    assert digest(evaluate(workers=2, chunk_frames=4, progress=lose_one)) == undisturbed
    assert killed


def test_what_is_done_is_not_done_again(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate(chunk_frames=10, batch_frames=1)
    chunks = sorted((tmp_path / "kept").iterdir())
    assert len(chunks) == 5
    chunks[1].unlink()
    chunks[4].write_bytes(chunks[4].read_bytes()[:-20])
    before = {chunk: chunk.stat().st_mtime_ns for chunk in chunks if chunk.exists()}
    again = evaluate(chunk_frames=10, batch_frames=1)
    after = {chunk: chunk.stat().st_mtime_ns for chunk in chunks}
    changed = {chunk for chunk in chunks if before.get(chunk) != after[chunk]}
    assert changed == {chunks[1], chunks[4]}
    for chunk in chunks:
        chunk.unlink()
    assert digest(again) == digest(evaluate(batch_frames=1))


def test_what_was_done_otherwise_is_not_taken(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate(chunk_frames=24)
    evaluate(chunk_frames=24, probe_every=0)
    assert len(list((tmp_path / "kept").iterdir())) == 4


def test_a_batch_moves_corners_by_no_more_than_the_networks_arithmetic(
    evaluate: Evaluate,
) -> None:
    alone, together = (evaluate(batch_frames=batch) for batch in (1, 8))
    for one, other in zip(alone.views, together.views, strict=True):
        assert (one.frame, one.track_id) == (other.frame, other.track_id)
        np.testing.assert_allclose(one.corners, other.corners, atol=5e-3)
