# SPDX-License-Identifier: Apache-2.0
"""From what two digits may be to what their sum may be."""

from __future__ import annotations

import torch
from torch import Tensor


def log_probabilities_of_sums(first: Tensor, second: Tensor) -> Tensor:
    """Return how likely each sum of two independent digits is: P(s) = Σ P(a) P(s - a).

    Args:
        first: Logits of one digit, N×K.
        second: Of the other.

    Returns:
        Log-probabilities of 0 to 2K - 2, N×(2K - 1).
    """
    count, digits = first.shape
    both = first.log_softmax(dim=1).unsqueeze(2) + second.log_softmax(dim=1).unsqueeze(1)
    # Rows of 2K numbers read as rows of 2K - 1 move row a right by a: columns are then sums.
    padded = torch.cat([both, torch.full_like(both, -torch.inf)], dim=2)
    shifted = padded.flatten(1)[:, :-digits].view(count, digits, 2 * digits - 1)
    return shifted.logsumexp(dim=1)
