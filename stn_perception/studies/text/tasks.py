# SPDX-License-Identifier: Apache-2.0
"""The three tasks: what a network reads, learns and is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stn_perception.stn.sequence_transformer import span_overlap
from stn_perception.studies.data.news import TOPICS, load_news
from stn_perception.studies.data.snippets import LARGEST_RATING, load_snippets
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.text.encoding import (
    EncodedTexts,
    encode,
    features_of,
    the_word,
    word_pair_and_pieces,
)
from stn_perception.studies.text.folds import Split, split_of
from stn_perception.studies.text.hiding import Hiding
from stn_perception.studies.text.network import NetworkSize, TextReading
from stn_perception.studies.text.vocabulary import telling_features

# Snippets that people found neither good nor bad teach, but are not asked about.
LEAST_RATING = 0.5
_SCORING_BATCH = 64
_SMOOTHING = 0.1
_GUESS_WEIGHT = 0.5
_HIDING_SEED = 1200

TOPIC_SIZE = NetworkSize(4096, 8, 32, 64, len(TOPICS), word_dropout=0.4, dropout=0.3)
SENTIMENT_SIZE = NetworkSize(15360, 6, 32, 32, 1, word_dropout=0.2, dropout=0.3)
_LONGEST_ARTICLE, _LONGEST_SNIPPET = 480, 48


class Task(Protocol):
    """One fold of a task."""

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw training texts: ids, lengths and what is to be learned."""

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the mean loss."""

    def figures(self, network: nn.Module, part: str) -> Mapping[str, float]:
        """Return figures of the part `validation` or `test`."""


@lru_cache(maxsize=2)
def _articles(fold: int) -> EncodedTexts:
    """Encode every article by the words that tell most in the training part of a fold."""
    news = load_news()
    texts = [features_of(text, the_word, _LONGEST_ARTICLE) for text in news.texts]
    return _encoded(texts, news.topics, topic_split(fold).train, TOPIC_SIZE.buckets)


@lru_cache(maxsize=2)
def _snippets(fold: int) -> EncodedTexts:
    """Encode every snippet by the features that tell most in the training part of a fold."""
    texts = [
        features_of(text, word_pair_and_pieces, _LONGEST_SNIPPET) for text in load_snippets().texts
    ]
    train = sentiment_split(fold).train
    return _encoded(texts, _three_classes(load_snippets().ratings), train, SENTIMENT_SIZE.buckets)


def _encoded(
    texts: list[list[Sequence[str]]], classes: NDArray[np.int64], train: Tensor, buckets: int
) -> EncodedTexts:
    known = [texts[place] for place in train.tolist()]
    return encode(texts, telling_features(known, classes[train.numpy()], buckets - 1))


def _three_classes(ratings: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return 0 for a bad rating, 1 for none that is clear, 2 for a good one."""
    return np.digitize(ratings, (-LEAST_RATING, LEAST_RATING)).astype(np.int64)


def topic_split(fold: int) -> Split:
    """Return the articles of each part."""
    return split_of(load_news().topics, fold)


def sentiment_split(fold: int) -> Split:
    """Return the snippets of each part, those without a clear rating too."""
    return split_of(_three_classes(load_snippets().ratings), fold)


class Topics:
    """What an article is about."""

    def __init__(self, fold: int) -> None:
        self.texts = _articles(fold)
        self.topics = torch.from_numpy(load_news().topics)
        self.split = topic_split(fold)

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw articles."""
        places = _drawn(self.split.train, count, generator)
        texts = self.texts.take(places)
        return texts.ids, texts.lengths, self.topics[places]

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the cross entropy, smoothed."""
        ids, lengths, topics = batch
        return _taught(network(EncodedTexts(ids, lengths)), topics, _topic_loss)

    def figures(self, network: nn.Module, part: str) -> Mapping[str, float]:
        """Return the accuracy in percent."""
        places = getattr(self.split, part)
        scores, theta = _read(network, self.texts, places)
        return {
            "accuracy_percent": _percent(scores.argmax(dim=1) == self.topics[places]),
            "share_seen": _share_seen(theta),
        }


class HiddenTopics(Topics):
    """What an article in the midst of filler is about."""

    def __init__(self, fold: int) -> None:
        super().__init__(fold)
        self._parts: dict[str, Hiding] = {}

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw articles, each hidden anew."""
        places = torch.randint(len(self.split.train), (count,), generator=generator)
        texts, _ = self._hiding("train").hide(places, generator)
        return texts.ids, texts.lengths, self.topics[self.split.train[places]]

    def figures(self, network: nn.Module, part: str) -> Mapping[str, float]:
        """Return the accuracy in percent and the overlap of found and true spans."""
        places, texts, truth = self.hidden(part)
        scores, theta = _read(network, texts, torch.arange(len(places)))
        return {
            "accuracy_percent": _percent(scores.argmax(dim=1) == self.topics[places]),
            "share_seen": _share_seen(theta),
            "span_iou": float(span_overlap(theta, truth).mean()),
        }

    def hidden(self, part: str) -> tuple[Tensor, EncodedTexts, Tensor]:
        """Return every article's place, its hidden text and the true theta; always the same."""
        places = getattr(self.split, part)
        generator = torch.Generator().manual_seed(_HIDING_SEED)
        return places, *self._hiding(part).hide(torch.arange(len(places)), generator)

    def _hiding(self, part: str) -> Hiding:
        if part not in self._parts:
            places = getattr(self.split, part)
            self._parts[part] = Hiding(self.texts.take(places), self.topics[places])
        return self._parts[part]


class Sentiment:
    """How people found the film that a snippet is about."""

    def __init__(self, fold: int) -> None:
        self.texts = _snippets(fold)
        self.ratings = torch.from_numpy(load_snippets().ratings).float()
        self.split = sentiment_split(fold)

    def batch(self, count: int, generator: torch.Generator) -> Any:
        """Draw snippets."""
        places = _drawn(self.split.train, count, generator)
        texts = self.texts.take(places)
        return texts.ids, texts.lengths, self.ratings[places] / LARGEST_RATING

    def loss(self, network: nn.Module, batch: Any) -> Tensor:
        """Return the squared error of the rating: it tells more than its sign."""
        ids, lengths, ratings = batch
        return _taught(network(EncodedTexts(ids, lengths)), ratings, _rating_loss)

    def figures(self, network: nn.Module, part: str) -> Mapping[str, float]:
        """Return the accuracy of the sign in percent, of snippets with a clear rating."""
        places = getattr(self.split, part)
        places = places[self.ratings[places].abs() > LEAST_RATING]
        found, theta = _read(network, self.texts, places)
        return {
            "accuracy_percent": _percent((found[:, 0] > 0) == (self.ratings[places] > 0)),
            "share_seen": _share_seen(theta),
        }


TASKS: dict[str, Callable[[int], Task]] = {
    "topics": Topics,
    "hidden": HiddenTopics,
    "sentiment": Sentiment,
}


def _drawn(places: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return places[torch.randint(len(places), (count,), generator=generator)]


def _taught(read: TextReading, truth: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Return the loss of the answer and, at less weight, what teaches where to look.

    While the view still shows everything, its loss hardly tells where to go. So every cell learns
    to guess, and the mean of the guesses, weighted by how much each cell is looked at, is to be
    right: a cell that knows gains weight. Nothing but the answer is told, never a place.
    """
    answer = loss(read.outputs, truth)
    if read.guesses is None:
        return answer
    cells = read.guesses.size(1)
    alone = loss(read.guesses.flatten(0, 1), truth.repeat_interleave(cells))
    together = loss((read.shares.unsqueeze(2) * read.guesses).sum(dim=1), truth)
    return answer + _GUESS_WEIGHT * (alone + together)


def _topic_loss(scores: Tensor, topics: Tensor) -> Tensor:
    return nn.functional.cross_entropy(scores, topics, label_smoothing=_SMOOTHING)


def _rating_loss(found: Tensor, ratings: Tensor) -> Tensor:
    return nn.functional.mse_loss(found[:, 0], ratings)


def _read(network: nn.Module, texts: EncodedTexts, places: Tensor) -> tuple[Tensor, Tensor]:
    """Return a network's outputs and thetas for some of the texts, on the CPU."""
    device = device_of(network)
    outputs, thetas = [], []
    for some in torch.split(places, _SCORING_BATCH):
        batch = texts.take(some)
        read = network(EncodedTexts(batch.ids.to(device), batch.lengths.to(device)))
        outputs.append(read.outputs.cpu())
        thetas.append(read.theta.cpu())
    return torch.cat(outputs), torch.cat(thetas)


def _share_seen(theta: Tensor) -> float:
    """Return the mean length of the spans in lengths of their texts."""
    return float(theta[:, 0].mean())


def _percent(right: Tensor) -> float:
    return float(right.float().mean()) * 100
