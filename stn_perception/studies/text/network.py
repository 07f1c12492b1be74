# SPDX-License-Identifier: Apache-2.0
"""Embedding, transformer, host and classifier: one network for every row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from stn_perception.stn.sequence_transformer import CellScores, SequenceTransformer
from stn_perception.studies.text.encoding import EncodedTexts
from stn_perception.studies.text.folds import FOLDS
from stn_perception.studies.text.hosts import EncoderHost, GruHost

HostName = Literal["gru", "encoder"]


@dataclass(frozen=True)
class NetworkSize:
    """How large a row's network is.

    Attributes:
        buckets: Rows of the embedding.
        channels: Numbers of a word.
        positions: Of the view.
        cells: That the localization network scores.
        outputs: Classes, or 1 for a rating.
        word_dropout: Share of the words that a training step leaves out.
        dropout: Before the classifier.
        std: Of the embedding's first numbers.
        sharpness: Power of the shares whose span is read.
    """

    buckets: int
    channels: int
    positions: int
    cells: int
    outputs: int
    word_dropout: float
    dropout: float
    std: float = 0.1
    sharpness: float = 1.0


# The host without a transformer gets the localization network's numbers as units of its own.
_HIDDEN = {("gru", True): 32, ("gru", False): 34, ("encoder", True): 64, ("encoder", False): 78}


class TextReading(NamedTuple):
    """What a network makes of texts.

    Attributes:
        outputs: N×outputs.
        guesses: N×cells×outputs, of each cell alone, only to teach where to look; None without a
            localization network.
        theta: N×2, half width and centre of the span that was read.
        shares: N×cells, how much each cell was looked at.
    """

    outputs: Tensor
    guesses: Tensor | None
    theta: Tensor
    shares: Tensor


class TextNetwork(nn.Module):
    """Words to classes, or to a rating.

    The seed that the network is drawn with also chooses which of five folds is tested: that goes
    with the weights, so that nothing is ever scored on a text that it learned from.

    Args:
        size: Of it.
        host: What reads the view.
        looks: Whether a localization network chooses the span; else it is the whole text.
    """

    fold: Tensor

    def __init__(self, size: NetworkSize, host: HostName, looks: bool) -> None:
        super().__init__()
        self.embedding = nn.EmbeddingBag(size.buckets, size.channels, mode="sum", padding_idx=0)
        nn.init.normal_(self.embedding.weight, std=size.std)
        with torch.no_grad():
            self.embedding.weight[0] = 0
        localization = CellScores(size.channels, hidden=8) if looks else None
        self.transformer = SequenceTransformer(
            localization, size.positions, size.cells, sharpness=size.sharpness
        )
        hidden = _HIDDEN[host, looks]
        self.host: GruHost | EncoderHost = (
            GruHost(size.channels, hidden)
            if host == "gru"
            else EncoderHost(size.channels, hidden, size.positions)
        )
        self.dropout = nn.Dropout(size.dropout)
        features = self.host.features + size.channels
        self.norm = nn.LayerNorm(features)
        self.classifier = nn.Linear(features, size.outputs)
        self.guess = _guessing(size.channels, size.outputs) if looks else None
        self.word_dropout = size.word_dropout
        # A float, as the running average of whole numbers would round it down.
        self.register_buffer("fold", torch.tensor(float(torch.initial_seed() % FOLDS)))

    def forward(self, texts: EncodedTexts) -> TextReading:
        """Read N texts."""
        words = self._words(texts)
        if self.training and self.word_dropout > 0:
            kept = torch.rand(words[..., :1].shape, device=words.device) >= self.word_dropout
            words = words * kept / (1 - self.word_dropout)
        seen = self.transformer(words, texts.lengths)
        features = torch.cat([self.host(seen.views), seen.views.mean(dim=1)], dim=1)
        outputs = self.classifier(self.dropout(self.norm(features)))
        guesses = None if self.guess is None else self.guess(seen.cells)
        return TextReading(outputs, guesses, seen.theta, seen.shares)

    def _words(self, texts: EncodedTexts) -> Tensor:
        """Return the words' vectors, N×L×D."""
        count, length, width = texts.ids.shape
        vectors: Tensor = self.embedding(texts.ids.reshape(count * length, width))
        return vectors.view(count, length, -1)


def _guessing(channels: int, outputs: int) -> nn.Module:
    """Return what makes a guess of a cell.

    Not linear: in a hidden article's text the cells of each class have the same mean.
    """
    return nn.Sequential(nn.Linear(channels, 16), nn.ReLU(), nn.Linear(16, outputs))
