# SPDX-License-Identifier: Apache-2.0
"""One CUDA graph per warmed batch size: a call is one launch, however many kernels it runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch

_LOGGER = logging.getLogger(__name__)

# Triton compiles in the first run, libraries choose kernels and workspaces in the next ones.
_WARM_UPS = 3


def new_pool(device: torch.device) -> Any:
    """Memory that several graphs share; None where there is no CUDA."""
    return torch.cuda.graph_pool_handle() if device.type == "cuda" else None


class ReplayedSteps:
    """Steps recorded once and replayed; without CUDA they are simply run.

    A network that waits for the device within its forward pass cannot be recorded; its steps run
    one by one, which is slower, and one line of the log says so.

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
            reason = _why_not_recorded(run)
        stream.synchronize()
        if reason is not None:
            _LOGGER.warning("The network runs without a CUDA graph: %s.", reason)
            return
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, stream=stream):
            run()

    @property
    def is_recorded(self) -> bool:
        """Whether a call is one launch."""
        return self._graph is not None

    def launch(self) -> None:
        """Start the steps on their stream."""
        if self._stream is None:
            self._run()
            return
        with torch.cuda.stream(self._stream):
            if self._graph is None:
                self._run()
            else:
                self._graph.replay()


def _why_not_recorded(run: Callable[[], None]) -> str | None:
    """The first line on what in the steps waits for the device; None where nothing does."""
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")
    try:
        run()
    except RuntimeError as error:
        if "synchroniz" not in str(error):
            raise
        return str(error).strip().splitlines()[-1]
    finally:
        torch.cuda.set_sync_debug_mode(before)
    return None
