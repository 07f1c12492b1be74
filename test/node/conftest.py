# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests on a real middleware: a domain for each module, a node, a client."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from stn_perception.node.transport import profile_environment

sys.path.insert(0, str(Path(__file__).parent))

_DOMAINS = 100  # ports of higher domains collide with those the system hands out


@pytest.fixture(scope="module")
def plain_domain(request: pytest.FixtureRequest) -> Iterator[int]:
    """A ROS domain of the module's own, on this machine only; the transport is the default one."""
    seed = f"{request.module.__name__} {os.getpid()}"
    domain = 1 + zlib.crc32(seed.encode()) % _DOMAINS
    before = dict(os.environ)
    os.environ["ROS_DOMAIN_ID"] = str(domain)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    yield domain
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def domain_id(plain_domain: int) -> int:
    """A ROS domain of the module's own with the package's transport."""
    os.environ.update(profile_environment(os.environ, Path.cwd()))
    return plain_domain
