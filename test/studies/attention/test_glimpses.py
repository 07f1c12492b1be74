# SPDX-License-Identifier: Apache-2.0
"""Glimpses look where they say, and each way of choosing learns by its own gradient."""

import pytest
import torch

from stn_perception.studies.attention.blocks import AttentionBlock
from stn_perception.studies.attention.glimpse_network import VIEW_PX, GlimpseNetwork, Glimpses
from stn_perception.studies.attention.lesson import (
    DigitPair,
    digit_loss,
    found_share,
    policy_loss,
    right_digits,
)

IMAGES = torch.rand(6, 1, 72, 72, generator=torch.Generator().manual_seed(0))


def network(choice: str) -> GlimpseNetwork:
    torch.manual_seed(1)
    return GlimpseNetwork(choice)


def test_a_view_is_the_halved_picture_about_its_centre() -> None:
    halved = torch.nn.functional.avg_pool2d(IMAGES, 2)
    # The view of 16 pixels that begins at the half picture's pixel (4, 10).
    center = torch.tensor([[(4 + 8) / 18 - 1, (10 + 8) / 18 - 1]]).expand(6, 2)
    view = network("fixed")._look(halved, center)
    assert torch.allclose(view, halved[:, :, 10 : 10 + VIEW_PX, 4 : 4 + VIEW_PX], atol=1e-4)


def test_fixed_glimpses_ignore_the_picture_and_differ_from_each_other() -> None:
    centers = network("fixed")(IMAGES).centers
    assert torch.equal(centers[0], centers[5])
    assert torch.pdist(centers[0]).min() > 0.5


def test_the_transformers_places_get_a_gradient_from_the_digits_alone() -> None:
    looking = network("stn")
    digit_loss(looking(IMAGES).scores, torch.tensor([[3, 7]] * 6)).backward()
    for part in looking.choosing():
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in part.parameters())


def test_reinforce_draws_in_training_and_takes_the_best_cell_otherwise() -> None:
    drawing = network("reinforce").train()
    assert not torch.equal(drawing(IMAGES).centers, drawing(IMAGES).centers)
    drawing.eval()
    assert torch.equal(drawing(IMAGES).centers, drawing(IMAGES).centers)


def test_the_policys_gradient_is_that_of_the_expected_reward() -> None:
    """A bandit of three arms, against the derivative of the expectation itself."""
    torch.manual_seed(2)
    raw = torch.tensor([0.3, -0.2, 0.5], requires_grad=True)
    rewards = torch.tensor([1.0, 0.0, 0.5])
    (exact,) = torch.autograd.grad(-(torch.softmax(raw, 0) * rewards).sum(), raw)
    logs = torch.log_softmax(raw, 0)
    drawn = torch.multinomial(logs.detach().exp(), 200_000, replacement=True)
    zeros = torch.zeros(len(drawn), 1)
    found = Glimpses(zeros, zeros, logs[drawn].unsqueeze(1), zeros, torch.full_like(zeros, 0.6))
    (estimate,) = torch.autograd.grad(policy_loss(found, rewards[drawn]), raw)
    assert torch.allclose(estimate, exact, atol=5e-3)


def test_right_and_found_are_counted_by_hand() -> None:
    scores = torch.zeros(2, 10)
    scores[0, [4, 9]] = torch.tensor([2.0, 1.0])
    scores[1, [4, 5]] = 1.0
    assert right_digits(scores, torch.tensor([[9, 4], [5, 6]])).tolist() == [2.0, 1.0]
    truth = torch.tensor([[[0.0, 0.0], [0.5, 0.5]]])
    near, far = 7.9 / 36, 8.1 / 36
    assert found_share(torch.tensor([[[near, 0.0], [0.5, 0.5 + far]]]), truth) == 0.5


def test_attention_does_not_care_about_the_order_of_its_tokens() -> None:
    torch.manual_seed(0)
    block, tokens = AttentionBlock(16, 32), torch.randn(2, 5, 16)
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(block(tokens)[:, order], block(tokens[:, order]), atol=1e-5)


@pytest.mark.parametrize("choice", ["fixed", "reinforce", "stn"])
def test_every_way_learns_the_digits_of_a_few_scenes(choice: str) -> None:
    learning = network(choice).train()
    lesson = DigitPair(learning, learning.choosing())
    images, digits = lesson.batch(8, torch.Generator().manual_seed(5))
    optimizer = torch.optim.Adam(learning.parameters(), 3e-3)
    first = digit_loss(learning(images).scores, digits).item()
    for _ in range(40):
        optimizer.zero_grad()
        lesson.loss(learning, (images, digits)).backward()
        optimizer.step()
    # The least that two digits of a half each allow is log 2.
    assert digit_loss(learning(images).scores, digits) < 0.7 * first
