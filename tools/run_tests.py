# SPDX-License-Identifier: Apache-2.0
"""Run all tests in two parts: on all cores what bears company, then the rest one by one.

Standard library only. Every part runs, whatever became of the ones before it; the last line says
which failed, and the exit status is 1 if any did.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# They send real messages between processes in real time, or compare times: company would be felt.
ALONE = (
    "test/acceptance",
    "test/benchmarks/guard",
    "test/benchmarks/node",
    "test/benchmarks/start",
    "test/node",
)


class Part(NamedTuple):
    """Tests that run in one call of pytest."""

    name: str
    arguments: tuple[str, ...]
    environment: dict[str, str]


def parts(cores: int) -> tuple[Part, ...]:
    """What is not named in ``ALONE`` runs in company, so that nothing is left out."""
    others = [argument for path in ALONE for argument in ("--ignore", path)]
    spread = ("-n", str(cores), "--dist", "loadfile", "--no-loadscope-reorder")
    # A process for each core: threads of their own would only wait for each other.
    threads = {"OMP_NUM_THREADS": "1"}
    return (
        Part("tests on all cores", ("test", *others, *spread), threads),
        Part("tests one by one", ALONE, {}),
    )


def run(part: Part) -> bool:
    """Whether all of a part's tests passed; says how long they took."""
    print(f"[test] {part.name}: pytest {' '.join(part.arguments)}", flush=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pytest", *part.arguments]
    status = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **part.environment}, check=False
    ).returncode
    seconds = time.monotonic() - started
    ended = "passed" if status == 0 else f"failed (pytest ended with {status})"
    print(f"[test] {part.name}: {ended} after {seconds:.0f} s", flush=True)
    return status == 0


def run_all(wanted: Sequence[Part]) -> int:
    """Run each part and sum up in one line."""
    failed = [part.name for part in wanted if not run(part)]
    print(f"[test] FAILED: {', '.join(failed)}" if failed else "[test] all passed", flush=True)
    return 1 if failed else 0


def main() -> int:
    """Run everything."""
    try:
        return run_all(parts(len(os.sched_getaffinity(0))))
    except KeyboardInterrupt:
        print("[test] stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
