# SPDX-License-Identifier: Apache-2.0
"""Forward and backward of hosts with and without a transformer, all in turn in one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from stn_perception.runtime.threads import one_thread
from stn_perception.studies.errors import StudyError
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.overhead.hosts import HOSTS, HostKind, transformer
from stn_perception.studies.report import Cell, StudyReport

_WARM = 2


def study(repeats: int) -> StudyReport:
    """Measure every host.

    Args:
        repeats: Rounds; in each, every network of a host takes one training step.

    Raises:
        StudyError: Fewer than one.
    """
    if repeats < 1:
        raise StudyError(f"repeats is {repeats}, expected at least 1.")
    with one_thread():
        rows = [row for host in HOSTS for row in _rows(host, repeats)]
    return StudyReport(
        name="overhead",
        command=f"stn study overhead --repeats {repeats}",
        tables={"Forward and backward of a training step": rows},
        notes=[
            "One CPU thread, single precision, medians of rounds in which all networks of a host "
            "take turns. looks at: side of the picture that the localization network sees. "
            "FLOP %: additional multiplications and additions, by torch.utils.flop_counter, which "
            "counts convolutions and products of matrices, and so no sampling. Published: 6 % for "
            "the house numbers' CNN with four transformers between its layers (Jaderberg et al. "
            "2015, section 4.2).",
        ],
        settings={"repeats": repeats},
    )


def _rows(host: HostKind, repeats: int) -> Iterator[Mapping[str, Cell]]:
    torch.manual_seed(0)
    alone = host.make()
    pictures = torch.rand(host.batch, host.channels, host.side_px, host.side_px)
    small_px = max(28, host.side_px // 4)
    looks = [host.side_px] if small_px == host.side_px else [host.side_px, small_px]
    kinds = [(look_px, mip_levels) for look_px in looks for mip_levels in (0, 4)]
    parts = [transformer(host, *kind) for kind in kinds]
    # The host is the same object in all: only what stands before it differs.
    networks = [alone, *(nn.Sequential(part, alone) for part in parts)]
    times_ms = _in_turn(networks, pictures, repeats)
    flops = [_flop(network, pictures) for network in networks]
    for (look_px, mip_levels), part, time_ms, flop in zip(
        kinds, parts, times_ms[1:], flops[1:], strict=True
    ):
        yield {
            "host": host.name,
            "px": host.side_px,
            "batch": host.batch,
            "looks at": look_px,
            "sampler": "antialiased" if mip_levels else "paper",
            "host, ms": times_ms[0],
            "with it, ms": time_ms,
            "overhead %": 100 * (time_ms / times_ms[0] - 1),
            "FLOP %": 100 * (flop / flops[0] - 1),
            "parameters %": 100 * parameter_count(part) / parameter_count(alone),
        }


def _in_turn(networks: Sequence[nn.Module], pictures: Tensor, repeats: int) -> list[float]:
    """Median time of a training step of each, ms."""
    times: list[list[float]] = [[] for _ in networks]
    for repeat in range(_WARM + repeats):
        for network, of_network in zip(networks, times, strict=True):
            begin = time.perf_counter()
            _step(network, pictures)
            if repeat >= _WARM:
                of_network.append(1e3 * (time.perf_counter() - begin))
    return [statistics.median(of_network) for of_network in times]


def _step(network: nn.Module, pictures: Tensor) -> None:
    network.zero_grad()
    network(pictures).square().mean().backward()


def _flop(network: nn.Module, pictures: Tensor) -> int:
    with FlopCounterMode(display=False) as counter:
        _step(network, pictures)
    return int(counter.get_total_flops())
