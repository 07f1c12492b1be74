# SPDX-License-Identifier: Apache-2.0
"""A Dask cluster of separate processes gives what this process gives."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from evaluation_digest import digest

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.runtime.archive import resolve_model

Evaluate = Callable[..., Evaluation]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A scheduler and one worker with a home of its own, as on another machine."""
    address = f"127.0.0.1:{free_port()}"
    home = tmp_path / "elsewhere"
    home.mkdir()
    env = {**os.environ, "XDG_CACHE_HOME": str(home), "OMP_NUM_THREADS": "1"}
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    start += ["--host", "127.0.0.1", "--port", address.split(":")[1], "--no-dashboard"]
    work = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    work += ["--nthreads", "1", "--no-dashboard", "--local-directory", str(home)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [subprocess.Popen(line, env=env, cwd=home, **quiet) for line in (start, work)]
    try:
        wait_for_worker(address)
        yield address
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(30)


def wait_for_worker(address: str) -> None:
    from distributed import Client

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with Client(address, timeout="2s") as client:
                client.wait_for_workers(1, timeout=30)
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"no worker came to {address}")


def test_a_cluster_gives_the_same_bits_and_gets_the_model(
    evaluate: Evaluate, scheduler: str, tmp_path: Path
) -> None:
    own = tmp_path / "mine.pt"
    shutil.copy(resolve_model("planar"), own)
    here = evaluate(models=(str(own),))
    shutil.rmtree(tmp_path / "kept")
    there = evaluate(models=(str(own),), scheduler=scheduler, chunk_frames=16)
    assert digest(there) == digest(here)
    sent = list((tmp_path / "elsewhere" / "stn_perception" / "models").iterdir())
    assert [path.read_bytes() for path in sent] == [own.read_bytes()]


def test_no_scheduler_is_one_sentence(evaluate: Evaluate) -> None:
    with pytest.raises(
        BagError, match=r"no Dask scheduler answers at 127\.0\.0\.1:\d+"
    ) as refused:
        evaluate(scheduler=f"127.0.0.1:{free_port()}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("limit", ["100MiB", "much"])
def test_too_little_memory_is_one_sentence(evaluate: Evaluate, limit: str) -> None:
    with pytest.raises(BagError, match=f"--memory-limit is {limit}, expected at least 512 MiB"):
        evaluate(workers=1, memory_limit=limit)
