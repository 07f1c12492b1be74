# SPDX-License-Identifier: Apache-2.0
"""The classifier of signs without a spatial transformer, to compare ``SignReader`` with."""

from typing import Dict  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock, fold_blocks, unit_contrast


class SignClassifier(nn.Module):
    """The classifier without the transformer: the crop as it is to its class.

    As many weights as ``SignReader``, and no view: theta is the identity.

    Args:
        classes: signs that are told apart; what is none of them is one output more.
        input_size: crops are square with this side; a multiple of 16.
    """

    def __init__(self, classes: int, input_size: int = 64) -> None:
        super().__init__()
        if input_size % 16 != 0:
            raise ValueError(f"input_size must be a multiple of 16, got {input_size}")
        self.layers = nn.Sequential(
            ConvBlock(3, 24, stride=2, kernel=5),
            ConvBlock(24, 40, stride=2),
            ConvBlock(40, 64),
            ConvBlock(64, 96, stride=2),
            ConvBlock(96, 96),
            ConvBlock(96, 128, stride=2),
            ConvBlock(128, 128),
            ConvBlock(128, 64, kernel=1),
            nn.Flatten(),
            nn.Linear(64 * (input_size // 16) ** 2, 320),
            nn.ReLU(),
            nn.Linear(320, classes + 1),
        )

    def logits(self, crops: Tensor) -> Tensor:
        """Return N×(classes + 1)."""
        values: Tensor = self.layers(unit_contrast(crops)).to(torch.float32)
        return values

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Return ``class_logits`` and the identity as ``theta``."""
        logits = self.logits(crops)
        identity = torch.eye(3, dtype=logits.dtype, device=logits.device)
        return {
            "theta": identity.unsqueeze(0).expand(logits.size(0), 3, 3),
            "class_logits": logits,
        }

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        fold_blocks(self)
