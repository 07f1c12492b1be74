# SPDX-License-Identifier: Apache-2.0
"""The trunk of the networks that answer with maps: context from afar, places from near by."""

from typing import Tuple  # noqa: UP035  (TorchScript reads this annotation)

from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock


class EncoderDecoder(nn.Module):
    """An encoder to 1/16 of the input gathers context, a decoder brings it back to 1/4.

    Args:
        channels: of the crops, 1 or 3.
        input_size: crops are square with this side; a multiple of 16.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the input.
    """

    def __init__(
        self,
        channels: int,
        input_size: int,
        widths: Tuple[int, int, int, int],  # noqa: UP006
    ) -> None:
        super().__init__()
        if input_size % 16 != 0 or input_size < 32:
            raise ValueError(f"input_size must be a multiple of 16 from 32 up, got {input_size}")
        w2, w4, w8, w16 = widths
        self.stem = ConvBlock(channels, w2, stride=2, kernel=5)
        self.quarter = ConvBlock(w2, w4, stride=2)
        self.eighth = nn.Sequential(ConvBlock(w4, w8, stride=2), ConvBlock(w8, w8))
        self.sixteenth = nn.Sequential(
            ConvBlock(w8, w16, stride=2), ConvBlock(w16, w16), ConvBlock(w16, w16)
        )
        self.context = nn.Linear(w16, w16)
        self.eighth_from_sixteenth = nn.Conv2d(w16, w8, 1)
        self.eighth_merged = ConvBlock(w8, w8)
        self.quarter_from_eighth = nn.Conv2d(w8, w4, 1)
        self.quarter_merged = ConvBlock(w4, w4)

    def features(self, crops: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
        """Return decoded features at 1/4 of the input and pooled ones at 1/16.

        Args:
            crops: N×C×h×w, each at zero mean and unit contrast.
        """
        quarter = self.quarter(self.stem(crops))
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        pooled = sixteenth.mean(dim=[2, 3])
        sixteenth = sixteenth + self.context(pooled).unsqueeze(2).unsqueeze(3)
        up = nn.functional.interpolate(
            self.eighth_from_sixteenth(sixteenth), scale_factor=2.0, mode="nearest"
        )
        eighth = self.eighth_merged(eighth + up)
        up = nn.functional.interpolate(
            self.quarter_from_eighth(eighth), scale_factor=2.0, mode="nearest"
        )
        return self.quarter_merged(quarter + up), pooled
