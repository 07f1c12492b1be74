# SPDX-License-Identifier: Apache-2.0
"""The CUDA back end by name, and what happens without a device."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import torch

from stn_perception.runtime import backends
from stn_perception.runtime.backends import backend_names, get_backend

without_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


@without_cuda
def test_without_a_device_one_line_says_so_and_a_cpu_back_end_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    backends._say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        chosen = {get_backend("triton").name for _ in range(3)}
    assert chosen == {get_backend("auto").name}
    assert [record.getMessage().count("no CUDA device") for record in caplog.records] == [1]


def test_the_name_is_known() -> None:
    assert "triton" in backend_names()


def test_nothing_imports_triton_before_a_kernel_is_needed() -> None:
    code = (
        "import sys, stn_perception.runtime.pipeline, stn_perception.runtime.backends\n"
        "import stn_perception.runtime.cuda.frame_store, stn_perception.runtime.cuda.graphs\n"
        "sys.exit('triton' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@without_cuda
def test_the_kernels_refuse_a_cpu_without_the_interpreter() -> None:
    pytest.importorskip("triton")
    code = (
        "import torch\n"
        "from stn_perception.runtime.cuda.warp_triton import TritonBackend\n"
        "TritonBackend(torch.device('cpu'))"
    )
    env = {"TRITON_INTERPRET": "0", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert "asked to run on cpu, expected a CUDA device" in done.stderr
