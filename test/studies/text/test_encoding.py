# SPDX-License-Identifier: Apache-2.0
"""Words become numbers, and the folds keep what teaches from what is tested."""

import numpy as np
import pytest
import torch

from stn_perception.studies.text.encoding import (
    encode,
    features_of,
    the_word,
    word_pair_and_pieces,
    words_of,
)
from stn_perception.studies.text.folds import FOLDS, split_of
from stn_perception.studies.text.vocabulary import telling_features


def test_words_are_lower_case_and_signs_that_say_something_stay() -> None:
    assert words_of("It's GREAT, isn't it?!") == ["it's", "great", "isn't", "it", "?", "!"]


def test_a_word_is_itself_its_pair_and_its_pieces() -> None:
    found = set(word_pair_and_pieces("not", "bad"))
    assert found == {"not bad", "bad", "<ba", "ad>", "<bad", "bad>", "<bad>"}


def test_unknown_words_keep_their_place() -> None:
    numbers = {"a": 1, "c": 2}
    texts = [features_of(text, the_word, 3) for text in ("a b c d", "c", "")]
    encoded = encode(texts, lambda name: numbers.get(name, 0))
    assert encoded.ids[:, :, 0].tolist() == [[1, 0, 2], [2, 0, 0], [0, 0, 0]]
    assert encoded.lengths.tolist() == [3, 1, 1]
    assert encoded.take(torch.tensor([1, 2])).ids.shape == (2, 1, 1)


def test_the_telling_words_come_first() -> None:
    texts = [[["the"], ["ball"]], [["the"], ["ball"], ["rare"]], [["the"], ["vote"]], [["the"]]]
    number = telling_features(texts, np.array([0, 0, 1, 1]), 2)
    assert number("ball") == 1
    assert number("the") == 0 == number("unheard")


def test_information_is_that_of_the_joint_distribution() -> None:
    """A word that tells a class for certain, in half the texts, has log 2 and comes first."""
    texts = [[["sure"], ["often"]], [["sure"]], [["often"]], [["never"]]]
    number = telling_features(texts, np.array([0, 0, 1, 1]), 4)
    assert number("sure") == 1
    assert number("never") == 2
    assert number("often") == 3


@pytest.mark.parametrize("fold", range(FOLDS))
def test_the_parts_of_a_fold_share_no_text_and_hold_every_class(fold: int) -> None:
    classes = np.repeat([0, 1, 2], [50, 100, 150])
    split = split_of(classes, fold)
    parts = [set(part.tolist()) for part in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 300
    assert np.bincount(classes[split.test.numpy()]).tolist() == [10, 20, 30]
    assert len(parts[1]) == 24


def test_every_text_is_tested_in_one_fold() -> None:
    classes = np.arange(53) % 4
    tested = torch.cat([split_of(classes, fold).test for fold in range(FOLDS)])
    assert sorted(tested.tolist()) == list(range(53))
