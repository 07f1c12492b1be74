# SPDX-License-Identifier: Apache-2.0
"""The references of the three tasks, computed on the same folds as the networks."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np
from torch import Tensor

from stn_perception.studies.data.news import load_news
from stn_perception.studies.data.snippets import load_snippets
from stn_perception.studies.text.encoding import EncodedTexts
from stn_perception.studies.text.reference import TfIdf, Tokens, fit_linear
from stn_perception.studies.text.tasks import (
    LEAST_RATING,
    HiddenTopics,
    sentiment_split,
    topic_split,
)

# Words as scikit-learn takes them: two letters at least.
_WORD = re.compile(r"\w\w+")
# Chosen so that the published figures come out: 97.8 % and 80.2 % over five folds.
_SVM_STRENGTH, _LOGISTIC_STRENGTH = 1.0, 30.0


def topics_reference(fold: int) -> float:
    """Return the accuracy in percent of TF-IDF and a linear SVM on whole articles."""
    news, split = load_news(), topic_split(fold)
    texts = [_WORD.findall(text.lower()) for text in news.texts]
    return _accuracy(
        _at(texts, split.learned()),
        news.topics[split.learned().numpy()],
        _at(texts, split.test),
        news.topics[split.test.numpy()],
        "hinge",
    )


def hidden_reference(fold: int) -> float:
    """Return the same for articles hidden in filler, every one hidden once."""
    task = HiddenTopics(fold)
    parts = {part: task.hidden(part) for part in ("train", "validation", "test")}
    learned = [word for part in ("train", "validation") for word in _hashes(parts[part][1])]
    places = np.concatenate([parts["train"][0].numpy(), parts["validation"][0].numpy()])
    topics = task.topics.numpy()
    return _accuracy(
        learned,
        topics[places],
        _hashes(parts["test"][1]),
        topics[parts["test"][0].numpy()],
        "hinge",
    )


def sentiment_reference(fold: int) -> float:
    """Return the accuracy in percent of TF-IDF of words and pairs with a logistic regression."""
    snippets, split = load_snippets(), sentiment_split(fold)
    is_clear = np.abs(snippets.ratings) > LEAST_RATING
    texts = []
    for text in snippets.texts:
        words = _WORD.findall(text.lower())
        texts.append([*words, *(f"{a} {b}" for a, b in pairwise(words))])
    learned, test = (part[is_clear[part.numpy()]] for part in (split.learned(), split.test))
    signs = (snippets.ratings > 0).astype(np.int64)
    return _accuracy(
        _at(texts, learned),
        signs[learned.numpy()],
        _at(texts, test),
        signs[test.numpy()],
        "logistic",
    )


REFERENCES: dict[str, tuple[str, Callable[[int], float]]] = {
    "topics": ("TF-IDF + linear SVM", topics_reference),
    "sentiment": ("TF-IDF + logistic regression", sentiment_reference),
    "hidden": ("TF-IDF + linear SVM", hidden_reference),
}


def _accuracy(
    learned: Sequence[Tokens],
    learned_classes: np.ndarray[tuple[int], np.dtype[np.int64]],
    test: Sequence[Tokens],
    test_classes: np.ndarray[tuple[int], np.dtype[np.int64]],
    loss: Literal["hinge", "logistic"],
) -> float:
    terms = TfIdf(learned)
    strength = _SVM_STRENGTH if loss == "hinge" else _LOGISTIC_STRENGTH
    classifier = fit_linear(terms.matrix(learned), learned_classes, loss, strength)
    found = classifier.classes(terms.matrix(test))
    return float((found == test_classes).mean()) * 100


def _at(texts: Sequence[Tokens], places: Tensor) -> list[Tokens]:
    return [texts[place] for place in places.tolist()]


def _hashes(texts: EncodedTexts) -> list[Tokens]:
    """Return the hash of every word as a term."""
    return [
        [str(number) for number in row[:length]]
        for row, length in zip(texts.ids[:, :, 0].tolist(), texts.lengths.tolist(), strict=True)
    ]
