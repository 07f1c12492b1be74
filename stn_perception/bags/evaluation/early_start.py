# SPDX-License-Identifier: Apache-2.0
"""Begin to load what worker processes need, while this process loads what it needs itself."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing import forkserver, resource_tracker

_WORK = "stn_perception.bags.evaluation.preloaded"


def start_loading() -> None:
    """Start the process that workers will be copies of; starting it again does nothing.

    It imports for seconds, so the earlier the better. Ctrl-C is for the command alone: the
    process and its copies never see it, and end when the command does.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload([_WORK])
    resource_tracker.ensure_running()  # it lets Ctrl-C through again after its own start
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
