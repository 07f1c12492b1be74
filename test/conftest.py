# SPDX-License-Identifier: Apache-2.0
"""What the tests of several rooms share."""

from __future__ import annotations

import signal
from typing import Any

import pytest

# A shell starts what runs in the background with Ctrl-C ignored, and every process started from
# there inherits that; the tests that press it need it to arrive.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In several processes files with slow tests begin: the last one would run on alone."""
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def tag_detector() -> Any:
    """An AprilTag detector (36h11) that is never destroyed.

    The library frees the tag family before the detector that still points to it, which crashes
    the process now and then, at the end of a test or of the interpreter.
    """
    apriltags = pytest.importorskip("pupil_apriltags")

    class Lasting(apriltags.Detector):
        def __del__(self) -> None:
            pass

    return Lasting(families="tag36h11", quad_decimate=1.0, nthreads=1)
