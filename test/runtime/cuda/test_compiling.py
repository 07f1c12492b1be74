# SPDX-License-Identifier: Apache-2.0
"""The kernels compile for the GPUs they are meant for, which takes none of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A process of its own: Triton compiles only where it was imported without its interpreter.
COMPILE = """
import pathlib, subprocess, sys
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from stn_perception.runtime.cuda.kernels import compose, gradient, plan, sample

POINTERS = {
    "frames_ptr": "i64", "frame_of_view_ptr": "i32", "matrices_ptr": "fp64", "exact_ptr": "fp64",
    "floats_ptr": "fp32", "ints_ptr": "i32", "colors_ptr": "fp32", "offsets_ptr": "i64",
    "upstream_ptr": "fp32", "sums_ptr": "fp32", "frame_from_crop_ptr": "fp64",
    "theta_ptr": "fp32", "sides_ptr": "fp64",
}
TILE = {"TILE_X": 32, "TILE_Y": 8}
JOBS = [
    (compose.compose_transforms, "fp64", {"THETA_ROWS": 2, "BLOCK": 128}, 4),
    (plan.plan_views, "", {"ANTIALIAS": True, "ORIENT": True}, 1),
    (sample.sample_inputs, "fp32", {"CHANNELS": 3, **TILE}, 4),
    (sample.sample_views, "u8", {"TAPS": 2, "CHANNELS": 4, **TILE}, 4),
    (gradient.differentiate_inputs, "", {"CHANNELS": 3, **TILE}, 4),
]
for kernel, result, constants, warps in JOBS:
    types = {name: f"*{kind}" for name, kind in (POINTERS | {"result_ptr": result}).items()}
    names = kernel.arg_names
    signature = {n: "constexpr" if n in constants else types.get(n, "i32") for n in names}
    constexprs = {(names.index(name),): value for name, value in constants.items()}
    source = ASTSource(kernel, signature, constexprs=constexprs)
    target = GPUTarget("cuda", 90, 32)
    compiled = triton.compile(source, target=target, options={"num_warps": warps})
    text = compiled.asm["ptx"]
    binary = pathlib.Path(sys.argv[1], "kernel.cubin")
    binary.write_bytes(compiled.asm["cubin"])
    tool = pathlib.Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    usage = subprocess.run([tool, "-res-usage", binary], capture_output=True, text=True).stdout
    print(kernel.__name__, "STACK:0 " in usage, ".f64" in text)
"""


def test_every_kernel_compiles_for_hopper_without_a_gpu(tmp_path: Path) -> None:
    pytest.importorskip("triton")
    env = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    env["TRITON_CACHE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", COMPILE, str(tmp_path)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["True"] * 5, "registers are spilled to the stack"
    in_double = {line[0] for line in lines if line[2] == "True"}
    # Pixels are sampled in float32: one number in double by mistake halves a small GPU's speed.
    assert in_double == {"compose_transforms", "plan_views"}
