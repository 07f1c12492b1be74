# SPDX-License-Identifier: Apache-2.0
"""Entry point of ``canonicalizer_node``: prepare the process, run the node, end cleanly.

Exit codes: 0 after Ctrl-C, SIGTERM or a shutdown transition; 1 when the node failed; 2 when it
was started wrongly (parameters, missing packages, a name already taken).

Imports are late on purpose: the transport must be tuned before the middleware loads, and a
package that is missing is explained in a sentence.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stn_perception.node.exit_codes import EXIT_CLEAN, EXIT_USAGE
from stn_perception.node.import_errors import explain_import_error
from stn_perception.node.startup import Startup
from stn_perception.node.stop_signal import StopSignal
from stn_perception.node.transport import tune_transport
from stn_perception.runtime.process_memory import keep_large_blocks


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is told to end.

    Args:
        args: Command line with its program name; None takes the process's own.

    Returns:
        The exit code.
    """
    startup = Startup(since_process=args is None)
    with StopSignal() as stop:
        with _immediate_exit():
            keep_large_blocks()
            transport = tune_transport()
            try:
                from stn_perception.node.process import run_node
            except (ImportError, AttributeError) as error:
                print(explain_import_error(error), file=sys.stderr)
                return EXIT_USAGE
        code = run_node(list(sys.argv if args is None else args), stop, transport, startup)
    if args is None:
        _ignore_signals()
    return code


def _ignore_signals() -> None:
    """The process is about to end: another Ctrl-C must not show a traceback of its teardown."""
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def _immediate_exit() -> Iterator[None]:
    """SIGINT and SIGTERM end the process at once: nothing is open yet that would need closing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: os._exit(EXIT_CLEAN)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
