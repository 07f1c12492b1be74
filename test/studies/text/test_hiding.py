# SPDX-License-Identifier: Apache-2.0
"""An article lies whole where its span says, in filler of the other topics alone."""

import pytest
import torch

from stn_perception.stn.sequence_transformer import sample_span
from stn_perception.studies.text.encoding import EncodedTexts
from stn_perception.studies.text.hiding import FILLER, Hiding

LENGTHS = torch.tensor([10, 7, 12, 5, 9, 8])
TOPICS = torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.fixture
def hiding() -> Hiding:
    """Words of topic t are 100 t + 1, 100 t + 2, …"""
    place = torch.arange(12).unsqueeze(0)
    ids = torch.where(place < LENGTHS.unsqueeze(1), 100 * TOPICS.unsqueeze(1) + place + 1, 0)
    return Hiding(EncodedTexts(ids.unsqueeze(2), LENGTHS), TOPICS)


def test_the_span_shows_the_article_word_by_word(hiding: Hiding) -> None:
    places = torch.arange(6).repeat(5)
    texts, theta = hiding.hide(places, torch.Generator().manual_seed(0))
    for row, place in enumerate(places.tolist()):
        length = int(LENGTHS[place])
        seen = sample_span(
            texts.ids[row : row + 1].double(),
            texts.lengths[row : row + 1],
            theta[row : row + 1].double(),
            length,
        )
        words = 100 * int(TOPICS[place]) + torch.arange(1, length + 1)
        assert torch.allclose(seen[0, :, 0], words.double(), atol=0.05)


def test_every_wrong_topic_has_as_many_words_as_the_right_one(hiding: Hiding) -> None:
    texts, _ = hiding.hide(torch.arange(6), torch.Generator().manual_seed(1))
    for row in range(6):
        length = int(LENGTHS[row])
        assert texts.lengths[row] == (FILLER + 1) * length
        words = texts.ids[row, : texts.lengths[row], 0]
        counts = torch.bincount(words // 100, minlength=3)
        assert counts[TOPICS[row]] == length
        assert counts.sum() == (FILLER + 1) * length
        wrong = counts[torch.arange(3) != TOPICS[row]]
        assert (wrong - FILLER * length / 2).abs().max() <= 1


def test_hiding_twice_gives_other_filler_at_another_place(hiding: Hiding) -> None:
    generator = torch.Generator().manual_seed(2)
    (one, first), (other, second) = (hiding.hide(torch.tensor([2]), generator) for _ in range(2))
    assert not torch.equal(one.ids, other.ids)
    assert not torch.equal(first, second)
