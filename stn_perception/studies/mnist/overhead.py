# SPDX-License-Identifier: Apache-2.0
"""What a transformer costs beside its host: forward and backward of one training batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from stn_perception.runtime.threads import one_thread
from stn_perception.studies.digits.distortion import SIDE_PX
from stn_perception.studies.mnist.networks import digit_network
from stn_perception.studies.mnist.rows import ROWS, MnistRow
from stn_perception.studies.report import Cell, StudyReport

_ROWS = ("st-cnn-affine-r", "st-cnn-projective-r", "st-cnn-tps-r", "st-cnn-affine-rts")
_BATCH, _REPEATS, _WARM = 128, 15, 3


def overhead_report() -> StudyReport:
    """Time every transformer before the CNN, and the CNN itself on what each of them sees."""
    with one_thread():
        rows = [_row(ROWS[name]) for name in _ROWS]
    return StudyReport(
        name="mnist",
        command="stn study mnist --overhead",
        tables={"Forward and backward of one batch, ms": rows},
        notes=[
            f"Batches of {_BATCH}, one CPU thread, single precision, medians of {_REPEATS}. "
            "host: on the transformer's view; whole: host and transformer; without: the network "
            "of as many parameters on the whole picture. The paper reports 6 % of overhead.",
        ],
        settings={"batch": _BATCH},
    )


def _row(row: MnistRow) -> dict[str, Cell]:
    torch.manual_seed(0)
    network = digit_network(row)
    alone = digit_network(MnistRow(row.host, None, row.kind))
    images = torch.rand(_BATCH, 1, SIDE_PX[row.kind], SIDE_PX[row.kind])
    view = network.seen(images).detach()
    host_ms, whole_ms, alone_ms = _together(
        [
            lambda: _pass(network.host, view),
            lambda: _pass(network, images),
            lambda: _pass(alone, images),
        ]
    )
    return {
        "network": row.name,
        "host": host_ms,
        "whole": whole_ms,
        "overhead %": 100 * (whole_ms / host_ms - 1),
        "without": alone_ms,
    }


def _pass(network: nn.Module, images: Tensor) -> None:
    network.zero_grad()
    network(images).square().mean().backward()


def _together(jobs: list[Callable[[], None]]) -> list[float]:
    """Return the median time of each job, in turn, so that all see the same machine."""
    times: list[list[float]] = [[] for _ in jobs]
    for repeat in range(_WARM + _REPEATS):
        for job, of_job in zip(jobs, times, strict=True):
            begin = time.perf_counter()
            job()
            if repeat >= _WARM:
                of_job.append(1e3 * (time.perf_counter() - begin))
    return [statistics.median(of_job) for of_job in times]
