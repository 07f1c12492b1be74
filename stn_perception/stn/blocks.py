# SPDX-License-Identifier: Apache-2.0
"""The convolution block that the localization networks are built of."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def unit_contrast(crops: Tensor) -> Tensor:
    """Return each crop, N×C×h×w, at zero mean and unit contrast; its colours keep their relations.

    The floor keeps an even crop from exploding.
    """
    centred = crops - crops.mean(dim=[1, 2, 3], keepdim=True)
    contrast = centred.square().mean(dim=[1, 2, 3], keepdim=True).sqrt()
    return centred / (contrast + 0.02)


class ConvBlock(nn.Module):
    """Convolution, batch normalisation, ReLU; the normalisation folds away for inference."""

    def __init__(
        self, inputs: int, outputs: int, stride: int = 1, kernel: int = 3, dilation: int = 1
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.convolution: nn.Module = nn.Conv2d(
            inputs, outputs, kernel, stride, padding, dilation=dilation, bias=False
        )
        self.normalization: nn.Module = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map N×C×H×W features."""
        return torch.relu_(self.normalization(self.convolution(x)))

    def fold(self) -> None:
        """Fold the normalisation into the convolution (evaluation mode only)."""
        if isinstance(self.convolution, nn.Conv2d) and isinstance(
            self.normalization, nn.BatchNorm2d
        ):
            self.convolution = fuse_conv_bn_eval(self.convolution, self.normalization)
            self.normalization = nn.Identity()


def fold_blocks(network: nn.Module) -> None:
    """Fold every block of a network in evaluation mode.

    The weights are laid out channels last: activations follow them, and that is faster on a CPU.
    """
    for module in list(network.modules()):
        if isinstance(module, ConvBlock):
            module.fold()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
