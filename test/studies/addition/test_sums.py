# SPDX-License-Identifier: Apache-2.0
"""Sums of two digits are as likely as the pairs that make them."""

import torch

from stn_perception.studies.addition.sums import log_probabilities_of_sums


def test_probabilities_of_sums_are_those_of_their_pairs() -> None:
    first, second = torch.randn(2, 4, 10, generator=torch.Generator().manual_seed(0)).double()
    found = log_probabilities_of_sums(first, second).exp()
    expected = torch.zeros(4, 19, dtype=torch.float64)
    for a in range(10):
        for b in range(10):
            expected[:, a + b] += first.softmax(1)[:, a] * second.softmax(1)[:, b]
    torch.testing.assert_close(found, expected)


def test_two_sure_readers_are_sure_of_the_sum() -> None:
    sure = 50 * torch.eye(10)
    found = log_probabilities_of_sums(sure[[9, 0, 4]], sure[[9, 0, 7]])
    assert found.argmax(dim=1).tolist() == [18, 0, 11]
    assert float(found.max(dim=1).values.min()) > -1e-6


def test_gradients_reach_both_readers_through_every_sum() -> None:
    first, second = torch.zeros(1, 10), torch.zeros(1, 10)
    for number in range(19):
        readers = first.clone().requires_grad_(), second.clone().requires_grad_()
        log_probabilities_of_sums(*readers)[0, number].backward()
        for reader in readers:
            assert reader.grad is not None
            assert bool(reader.grad.isfinite().all())
    # 9 + 9 alone makes 18: each reader is drawn to 9.
    assert reader.grad.argmax() == 9
