# SPDX-License-Identifier: Apache-2.0
"""One CUDA graph per warmed batch size: a call is one launch, however many kernels it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

# Triton compiles in the first run, libraries choose kernels and workspaces in the next ones.
_WARM_UPS = 3


def new_pool(device: torch.device) -> Any:
    """Memory that several graphs share; None where there is no CUDA."""
    return torch.cuda.graph_pool_handle() if device.type == "cuda" else None


class ReplayedSteps:
    """Steps recorded once and replayed; without CUDA they are simply run.

    Args:
        run: Launches the steps on the current stream, always the same ones on the same memory.
        stream: The stream that they run on; None without CUDA.
        pool: ``new_pool``, shared by graphs that never run at the same time; None for an own one.
    """

    def __init__(
        self,
        run: Callable[[], None],
        stream: torch.cuda.Stream | None,
        pool: Any = None,
    ) -> None:
        self._run = run
        self._stream = stream
        self._graph: torch.cuda.CUDAGraph | None = None
        if stream is None:
            return
        # What was prepared on the current stream is there before the first run.
        stream.wait_stream(torch.cuda.current_stream(stream.device))
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                run()
        stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, stream=stream):
            run()

    def launch(self) -> None:
        """Start the steps on their stream."""
        if self._graph is None or self._stream is None:
            self._run()
            return
        with torch.cuda.stream(self._stream):
            self._graph.replay()
