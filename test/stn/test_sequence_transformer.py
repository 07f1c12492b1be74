# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch

from stn_perception.stn.sequence_transformer import (
    CellScores,
    SequenceTransformer,
    sample_span,
    span_of_shares,
    span_overlap,
)


def identity(count: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor([[1.0, 0.0]], dtype=dtype, device=device).repeat(count, 1)


def test_the_identity_shows_every_token_as_it_is(device, dtype, rng):
    tokens = torch.randn(3, 17, 4, generator=rng, dtype=dtype).to(device)
    lengths = torch.full((3,), 17, device=device)
    seen = sample_span(tokens, lengths, identity(3, dtype, device), 17)
    assert torch.allclose(seen, tokens, atol=1e-5)


def test_a_fine_view_is_linear_interpolation(rng):
    tokens = torch.randn(1, 12, 2, generator=rng, dtype=torch.float64)
    theta = torch.tensor([[0.3, 0.1]], dtype=torch.float64)
    seen = sample_span(tokens, torch.tensor([12]), theta, 20)[0]
    view = (2 * np.arange(20) + 1) / 20 - 1
    places = ((0.3 * view + 0.1) + 1) / 2 * 12 - 0.5
    for channel in range(2):
        expected = np.interp(places, np.arange(12), tokens[0, :, channel].numpy())
        assert np.allclose(seen[:, channel].numpy(), expected, atol=1e-12)


def test_a_coarse_view_averages_what_it_covers(rng):
    tokens = torch.randn(2, 64, 3, generator=rng)
    seen = sample_span(
        tokens, torch.tensor([64, 64]), identity(2, torch.float32, tokens.device), 4
    )
    assert torch.allclose(seen, tokens.unflatten(1, (4, 16)).mean(dim=2), atol=1e-5)


def test_a_sequence_is_seen_in_axes_of_its_own_length(rng):
    tokens = torch.randn(1, 30, 3, generator=rng)
    padded = torch.cat([tokens, torch.full((1, 11, 3), 1e3)], dim=1)
    theta = torch.tensor([[0.7, 0.2]])
    alone = sample_span(tokens, torch.tensor([30]), theta, 9)
    assert torch.allclose(sample_span(padded, torch.tensor([30]), theta, 9), alone, atol=1e-5)


def test_what_lies_outside_is_zero():
    seen = sample_span(torch.ones(1, 10, 1), torch.tensor([10]), torch.tensor([[1.0, 1.0]]), 4)
    assert seen[0, :, 0].tolist() == pytest.approx([1, 1, 0, 0])


@pytest.mark.parametrize("theta", [(1.0, 0.0), (0.43, 0.21), (0.05, -0.3), (0.8, -0.5)])
def test_trap_1_the_derivative_by_theta_is_the_central_difference(theta, rng):
    tokens = torch.randn(1, 16, 3, generator=rng, dtype=torch.float64)
    weights = torch.randn(1, 16, 3, generator=rng, dtype=torch.float64)
    lengths = torch.tensor([16])

    def loss(at: torch.Tensor) -> torch.Tensor:
        return (sample_span(tokens, lengths, at, 16) * weights).sum()

    at = torch.tensor([theta], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(loss(at), at)
    # By the scale the identity is a corner of its own: linear on one side, averaging on the other.
    for axis in (1,) if theta == (1.0, 0.0) else (0, 1):
        step = torch.zeros(1, 2, dtype=torch.float64)
        step[0, axis] = 1e-6
        central = (loss(at + step) - loss(at - step)) / 2e-6
        assert found[0, axis].item() == pytest.approx(central.item(), rel=1e-4, abs=1e-6)


def test_the_derivative_by_the_tokens_is_exact(rng):
    tokens = torch.randn(2, 7, 2, generator=rng, dtype=torch.float64, requires_grad=True)
    theta = torch.tensor([[0.31, 0.12], [0.9, -0.2]], dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda t: sample_span(t, torch.tensor([7, 5]), theta, 4), (tokens,)
    )


@pytest.mark.parametrize("span", [(0, 40), (10, 20), (33, 40)])
def test_a_uniform_distribution_over_a_span_gives_that_span(span):
    shares = torch.zeros(1, 40)
    shares[:, span[0] : span[1]] = 1 / (span[1] - span[0])
    half_width, center = span_of_shares(shares)[0].tolist()
    assert center - half_width == pytest.approx(2 * span[0] / 40 - 1, abs=1e-5)
    assert center + half_width == pytest.approx(2 * span[1] / 40 - 1, abs=1e-5)


def test_an_untrained_transformer_passes_the_whole_sequence_on(rng):
    module = SequenceTransformer(CellScores(3), positions=21, cells=7)
    tokens = torch.randn(2, 21, 3, generator=rng)
    found = module(tokens, torch.tensor([21, 21]))
    assert torch.allclose(found.views, tokens, atol=1e-4)
    assert torch.allclose(found.theta, torch.tensor([[1.0, 0.0]]).expand(2, 2), atol=1e-5)
    assert torch.allclose(found.cells, tokens.unflatten(1, (7, 3)).mean(dim=2), atol=1e-5)
    assert torch.allclose(found.shares, torch.full((2, 7), 1 / 7))


def test_equal_cells_have_a_finite_gradient():
    scores = CellScores(2, hidden=4)
    torch.nn.init.ones_(scores.last.weight)
    tokens = torch.ones(1, 1, 2, requires_grad=True)
    scores(tokens).sum().backward()
    assert tokens.grad is not None and tokens.grad.isfinite().all()


def test_a_marked_span_is_found_by_the_loss_of_what_is_seen_in_it():
    """Marked tokens count for it, others against it, and nothing else tells where they are."""
    torch.manual_seed(0)
    module = SequenceTransformer(CellScores(2, hidden=8), positions=8, cells=20)
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    generator = torch.Generator().manual_seed(1)
    overlap = torch.zeros(1)
    for _ in range(120):
        start = torch.randint(0, 46, (32, 1), generator=generator)
        place = torch.arange(60).unsqueeze(0)
        marked = ((place >= start) & (place < start + 15)).float()
        tokens = torch.stack([marked, 1.0 - marked], dim=2)
        truth = torch.cat([torch.full((32, 1), 0.25), (start + 7.5) / 30 - 1], dim=1)
        found = module(tokens, torch.full((32,), 60))
        gain = (found.views[..., 0] - found.views[..., 1]).mean(dim=1) * found.theta[:, 0]
        optimizer.zero_grad()
        (-gain.mean()).backward()
        optimizer.step()
        overlap = span_overlap(found.theta, truth).mean()
    assert overlap > 0.7


def test_sharpness_reads_the_span_of_what_is_looked_at_most(rng):
    class Preferring(torch.nn.Module):
        def forward(self, cells):
            return cells[..., 0]

    tokens = 0.1 * torch.rand(4, 60, 1, generator=rng)
    tokens[:, 30:42] += 3.0
    lengths = torch.full((4,), 60)
    plain = SequenceTransformer(Preferring(), positions=8, cells=60)(tokens, lengths)
    sharp = SequenceTransformer(Preferring(), 8, 60, sharpness=2.0)(tokens, lengths)
    truth = torch.tensor([[0.2, 0.2]]).expand(4, 2)
    assert torch.equal(plain.shares, sharp.shares)
    assert (span_overlap(sharp.theta, truth) > 0.8).all()
    assert (span_overlap(plain.theta, truth) < 0.5).all()
    even = SequenceTransformer(Preferring(), 8, 60, sharpness=2.0)(tokens * 0, lengths)
    assert torch.allclose(even.theta, torch.tensor([1.0, 0.0]).expand(4, 2), atol=1e-6)


def test_overlap_is_that_of_the_intervals():
    one = torch.tensor([[0.5, 0.0], [0.5, 0.0], [0.2, 0.5]])
    other = torch.tensor([[0.5, 0.0], [0.5, 0.5], [0.2, -0.5]])
    assert span_overlap(one, other).tolist() == pytest.approx([1.0, 1 / 3, 0.0])


@pytest.mark.parametrize(
    ("shape", "theta", "positions"), [((2, 5), 2, 3), ((2, 5, 1), 3, 3), ((2, 5, 1), 2, 0)]
)
def test_wrong_shapes_are_refused(shape, theta, positions):
    with pytest.raises(ValueError, match="expected a sequence"):
        sample_span(torch.zeros(shape), torch.tensor([5, 5]), torch.zeros(2, theta), positions)
    with pytest.raises(ValueError, match="smallest half width is 0"):
        SequenceTransformer(None, positions=3, smallest=0)
    with pytest.raises(ValueError, match="sharpness is 0, expected above 0"):
        SequenceTransformer(None, positions=3, sharpness=0)
