# SPDX-License-Identifier: Apache-2.0
"""Texts as numbers: every word as what it consists of.

A word's vector is the sum of its features' vectors (Bojanowski et al. 2017, "Enriching Word
Vectors with Subword Information").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import torch
from torch import Tensor

_WORD = re.compile(r"\w+(?:'\w+)?|[!?$£%]")
_SHORTEST_PIECE, _LONGEST_PIECE, _MOST_PIECES = 3, 5, 18

Features = Callable[[str, str], Sequence[str]]
Numbering = Callable[[str], int]


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """Texts as hashes.

    Attributes:
        ids: int64 N×L×K: up to K features of L words, 0 where there is none.
        lengths: int64 N, words of each text, at least 1.
    """

    ids: Tensor
    lengths: Tensor

    def take(self, places: Tensor) -> EncodedTexts:
        """Return some of them, cut to the longest."""
        lengths = self.lengths[places]
        return EncodedTexts(self.ids[places, : int(lengths.max())], lengths)


def words_of(text: str) -> list[str]:
    """Split into lower-case words and the signs that say something."""
    return _WORD.findall(text.lower())


def the_word(before: str, word: str) -> Sequence[str]:
    """Name the word itself."""
    return (word,)


@lru_cache(maxsize=65536)
def _pieces(word: str) -> tuple[str, ...]:
    framed = f"<{word}>"
    pieces = [
        framed[start : start + size]
        for size in range(_SHORTEST_PIECE, _LONGEST_PIECE + 1)
        for start in range(len(framed) - size + 1)
    ]
    return (word, *pieces[:_MOST_PIECES])


def word_pair_and_pieces(before: str, word: str) -> Sequence[str]:
    """Name a word, the pair with the word before it, and its runs of 3 to 5 letters."""
    return (f"{before} {word}", *_pieces(word))


def features_of(text: str, features: Features, longest: int) -> list[Sequence[str]]:
    """Return the names of the features of each of a text's first words, at least one word."""
    words = words_of(text)[:longest] or ["?"]
    return [features(*pair) for pair in pairwise(["^", *words])]


def encode(texts: Sequence[Sequence[Sequence[str]]], number: Numbering) -> EncodedTexts:
    """Number the features of texts; what says nothing is left out, its word keeps its place.

    Args:
        texts: N of them, as `features_of` names them.
        number: From a feature to its row of the embedding; 0 for one that says nothing.
    """
    rows = [[[n for name in word if (n := number(name))] for word in text] for text in texts]
    length = max(len(row) for row in rows)
    width = max(1, *(len(word) for row in rows for word in row))
    ids = torch.zeros(len(rows), length, width, dtype=torch.int64)
    for place, row in enumerate(rows):
        padded = [word + [0] * (width - len(word)) for word in row]
        ids[place, : len(row)] = torch.tensor(padded)
    return EncodedTexts(ids, torch.tensor([len(row) for row in rows]))
