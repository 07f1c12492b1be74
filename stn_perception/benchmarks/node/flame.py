# SPDX-License-Identifier: Apache-2.0
"""A flame graph of the node while frames flow, drawn by py-spy where it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType

_SAMPLES_PER_S = 200
_AFTER_START_S = 2.0
_END_TIMEOUT_S = 30.0


class Flame:
    """Runs the sampler beside the node, inside a ``with`` block.

    Args:
        path: SVG file to write; None samples nothing.
        duration_s: How long frames flow.

    Raises:
        ValueError: py-spy is not installed.
    """

    def __init__(self, path: Path | None, duration_s: float) -> None:
        self._path = path
        self._duration_s = max(1, int(duration_s - _AFTER_START_S))
        self._program = ""
        self._sampler: subprocess.Popen[bytes] | None = None
        if path is not None:
            self._program = _program()

    def __enter__(self) -> Flame:
        """Nothing runs yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the sampler write its file; end it where the run failed."""
        if self._sampler is None:
            return
        if error is not None:
            self._sampler.terminate()
        try:
            self._sampler.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._sampler.kill()
            self._sampler.wait()

    def record(self, process: int) -> None:
        """Begin to sample a process."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        options = ["--duration", str(self._duration_s), "--rate", str(_SAMPLES_PER_S), "--threads"]
        self._sampler = subprocess.Popen(
            [self._program, "record", "--pid", str(process), *options, "-o", str(self._path)],
            stdout=subprocess.DEVNULL,
        )


def _program() -> str:
    beside_python = Path(sys.executable).with_name("py-spy")
    program = str(beside_python) if beside_python.is_file() else shutil.which("py-spy")
    if not program:
        raise ValueError("--flame needs py-spy, which is not installed: pip install py-spy")
    return program
