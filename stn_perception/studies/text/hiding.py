# SPDX-License-Identifier: Apache-2.0
"""An article in the midst of four times as many words that come from other topics' articles.

The filler draws every word from a random article of the same part of the data but of another
topic, so that each wrong topic has as many words in the text as the right one: counting words
does not tell what the article is about, only looking at the article does.
"""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.studies.text.encoding import EncodedTexts

FILLER = 4


class Hiding:
    """Hides articles.

    Args:
        articles: Of one part of the data, N×L×K.
        topics: int64 N.
    """

    def __init__(self, articles: EncodedTexts, topics: Tensor) -> None:
        self._articles, self._topics = articles, topics
        lengths = articles.lengths
        inside = torch.arange(articles.ids.size(1)).unsqueeze(0) < lengths.unsqueeze(1)
        self._pools = [
            articles.ids[topics == topic][inside[topics == topic]]
            for topic in range(int(topics.max()) + 1)
        ]

    def hide(self, places: Tensor, generator: torch.Generator) -> tuple[EncodedTexts, Tensor]:
        """Return texts with the articles of these places, and where those lie.

        Args:
            places: M articles.
            generator: Of the filler and of where the article begins.

        Returns:
            M texts, and theta of the articles in them, M×2.
        """
        lengths = self._articles.lengths[places]
        total = (FILLER + 1) * lengths
        ids = torch.zeros(
            len(places), int(total.max()), self._articles.ids.size(2), dtype=torch.int64
        )
        begins = (torch.rand(len(places), generator=generator) * (total - lengths + 1)).long()
        for row, (place, begin) in enumerate(zip(places.tolist(), begins.tolist(), strict=True)):
            length = int(lengths[row])
            filler = self._filler(int(self._topics[place]), FILLER * length, generator)
            ids[row, :begin] = filler[:begin]
            ids[row, begin : begin + length] = self._articles.ids[place, :length]
            ids[row, begin + length : total[row]] = filler[begin:]
        center = (2 * begins + lengths) / total - 1
        theta = torch.stack([torch.full_like(center, 1 / (FILLER + 1)), center], dim=1)
        return EncodedTexts(ids, total), theta

    def _filler(self, topic: int, count: int, generator: torch.Generator) -> Tensor:
        """Draw words of every other topic, as many of each, in random order."""
        others = [pool for number, pool in enumerate(self._pools) if number != topic]
        drawn = [
            pool[torch.randint(len(pool), (-(-count // len(others)),), generator=generator)]
            for pool in others
        ]
        words = torch.cat(drawn)
        return words[torch.randperm(len(words), generator=generator)[:count]]
