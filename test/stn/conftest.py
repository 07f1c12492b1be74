# SPDX-License-Identifier: Apache-2.0
"""Every test that asks for `device` or `dtype` runs on each there is."""

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(params=["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def device(request):
    return torch.device(request.param)


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture
def rng():
    return torch.Generator().manual_seed(7)


@pytest.fixture
def random_theta(rng):
    """Homographies near the identity, N×3×3 float64, w > 0 all over the view."""

    def make(count: int, spread: float = 0.2) -> torch.Tensor:
        theta = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
        return theta + spread * (
            torch.rand(count, 3, 3, generator=rng, dtype=torch.float64) - 0.5
        ) * torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0]])

    return make
