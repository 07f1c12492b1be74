# SPDX-License-Identifier: Apache-2.0
"""The overhead is that of the part in front of a host, and nothing else."""

import pytest
import torch
from torch import nn

from stn_perception.studies.errors import StudyError
from stn_perception.studies.overhead import study as overhead
from stn_perception.studies.overhead.hosts import HOSTS, HostKind, digit_cnn, transformer


def test_every_host_takes_its_pictures_with_and_without_a_transformer() -> None:
    for host in HOSTS:
        pictures = torch.rand(2, host.channels, host.side_px, host.side_px)
        network = host.make().eval()
        with torch.no_grad():
            alone = network(pictures)
            # An untrained transformer passes the picture on, so the host sees the same.
            served = nn.Sequential(transformer(host, host.side_px, 0), network)(pictures)
        torch.testing.assert_close(served, alone, atol=1e-3, rtol=1e-2)


def test_the_arithmetic_is_that_of_a_convolution_forward_and_backward() -> None:
    network, pictures = nn.Conv2d(3, 5, 3, padding=1, bias=False), torch.rand(2, 3, 8, 8)
    # Two for each product; the backward pass has no derivative by pictures to find.
    forward = 2 * 2 * 8 * 8 * 3 * 5 * 9
    assert overhead._flop(network, pictures) == 2 * forward


def test_the_table_has_a_row_for_every_transformer(monkeypatch: pytest.MonkeyPatch) -> None:
    host = HostKind("small", 56, 1, 2, lambda: nn.Sequential(nn.AvgPool2d(2), digit_cnn()))
    monkeypatch.setattr(overhead, "HOSTS", (host,))
    (rows,) = overhead.study(1).tables.values()
    assert [(row["looks at"], row["sampler"]) for row in rows] == [
        (56, "paper"),
        (56, "antialiased"),
        (28, "paper"),
        (28, "antialiased"),
    ]
    for row in rows:
        host_ms, whole_ms = row["host, ms"], row["with it, ms"]
        assert isinstance(host_ms, float) and isinstance(whole_ms, float)
        assert row["overhead %"] == pytest.approx(100 * (whole_ms / host_ms - 1))


def test_no_rounds_are_refused() -> None:
    with pytest.raises(StudyError, match="repeats is 0, expected at least 1"):
        overhead.study(0)
