# SPDX-License-Identifier: Apache-2.0
"""A network that finds a sign, turns it upright and reads it.

Where the sign is (centre, size, tilt) and how it is turned are predicted apart: the homography of
an upright square factors into one whose derivative at the centre is symmetric and positive, which
does not depend on the turn (its polar decomposition), and a turn before it. The first is
continuous and regressed; the turn has look-alikes, and is a distribution over bins with a
correction for each. The view that these give is sampled from the crop (Jaderberg et al. 2015,
"Spatial Transformer Networks") and read by a classifier that knows every sign in its four quarter
turns, so that a view that came out lying down is put upright.
"""

import math
from typing import Dict, Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import ConvBlock, fold_blocks, unit_contrast
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample
from stn_perception.stn.sign_turns import turned
from stn_perception.stn.transforms import theta_from_corners

QUARTER_TURNS = 4


class SignLocator(nn.Module):
    """Crops to the unturned square, the turn's distribution, and the corners' log-variance.

    Args:
        bins: directions that the turn is told apart in.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the input.
        input_size: side of the crops.
        hidden: features between the last map and the outputs.
    """

    start: Tensor

    def __init__(
        self,
        bins: int,
        widths: Tuple[int, int, int, int],  # noqa: UP006
        input_size: int,
        hidden: int,
    ) -> None:
        super().__init__()
        w2, w4, w8, w16 = widths
        self.bins = bins
        self.trunk = nn.Sequential(
            ConvBlock(3, w2, stride=2, kernel=5),
            ConvBlock(w2, w4, stride=2),
            ConvBlock(w4, w4),
            ConvBlock(w4, w8, stride=2),
            ConvBlock(w8, w8),
            ConvBlock(w8, w16, stride=2),
            ConvBlock(w16, w16),
            ConvBlock(w16, 64, kernel=1),
        )
        self.hidden = nn.Linear(64 * (input_size // 16) ** 2, hidden)
        self.outputs = nn.Linear(hidden, 8 + 2 * bins + 8)
        nn.init.normal_(self.outputs.weight, std=1e-3)
        nn.init.zeros_(self.outputs.bias)
        square = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        self.register_buffer("start", 0.7 * square)

    def forward(self, crops: Tensor) -> Tuple[Tensor, Tensor, Tensor, Tensor]:  # noqa: UP006
        """Locate.

        Args:
            crops: N×3×S×S, centred.

        Returns:
            Corners of the unturned square, N×4×2 in normalised crop axes; logits of the turn's
            bins, N×bins; each bin's correction in bins, N×bins; log-variance of the corners of
            the turned square, N×8.
        """
        features = torch.relu(self.hidden(self.trunk(crops).flatten(1)))
        values = self.outputs(features).to(torch.float32)
        corners = self.start + values[:, :8].reshape(-1, 4, 2)
        logits = values[:, 8 : 8 + self.bins]
        corrections = 0.75 * torch.tanh(values[:, 8 + self.bins : 8 + 2 * self.bins])
        return corners, logits, corrections, values[:, 8 + 2 * self.bins :] - 4.0


class SignReader(nn.Module):
    """Crops to an upright view, its class, and how sure both are.

    Args:
        classes: signs that are told apart; what is none of them is one output more.
        input_size: crops are square with this side; a multiple of 16.
        view_size: side of the view that is read.
        view_margin: how much of the plane that view shows, in sides of the artwork.
        bins: directions that the turn is told apart in.
        widths: features of the locator at 1/2, 1/4, 1/8 and 1/16 of the input.
    """

    def __init__(
        self,
        classes: int,
        input_size: int = 64,
        view_size: int = 48,
        view_margin: float = 1.3,
        bins: int = 24,
        widths: Tuple[int, int, int, int] = (16, 32, 48, 96),  # noqa: UP006
    ) -> None:
        super().__init__()
        if input_size % 16 != 0 or view_size % 8 != 0:
            raise ValueError(
                f"input_size must be a multiple of 16 and view_size of 8, got {input_size} and "
                f"{view_size}"
            )
        self.classes = classes
        self.bins = bins
        self.view_size = view_size
        self.view_margin = view_margin
        self.locator = SignLocator(bins, widths, input_size, 192)
        self.reader = nn.Sequential(
            ConvBlock(3, 16, stride=2, kernel=5),
            ConvBlock(16, 32, stride=2),
            ConvBlock(32, 64),
            ConvBlock(64, 96, stride=2),
            ConvBlock(96, 96),
            ConvBlock(96, 48, kernel=1),
            nn.Flatten(),
            nn.Linear(48 * (view_size // 8) ** 2, 128),
            nn.ReLU(),
            nn.Linear(128, QUARTER_TURNS * classes + 1),
        )
        self.log_variance_shift = nn.Parameter(torch.zeros(()), requires_grad=False)

    def centred(self, crops: Tensor) -> Tensor:
        """Return what both networks read: each crop at zero mean and unit contrast."""
        return unit_contrast(crops)

    def angles(self, logits: Tensor, corrections: Tensor) -> Tensor:
        """Return the most likely turn, N, radians."""
        best = logits.argmax(dim=1, keepdim=True)
        bin_ = best.squeeze(1).to(torch.float32) + corrections.gather(1, best).squeeze(1)
        return bin_ * (2 * math.pi / self.bins)

    def view(self, centred: Tensor, theta: Tensor) -> Tensor:
        """Sample the views that are read; only theta gets a gradient.

        Args:
            centred: N×3×S×S, from ``centred``; what lies beyond shows its mean.
            theta: crop_from_view, N×3×3.
        """
        scale = torch.tensor(
            [self.view_margin, self.view_margin, 1.0], dtype=theta.dtype, device=theta.device
        )
        size = self.view_size
        grid = homography_grid(theta * scale, size, size, centred.size(2), centred.size(3))
        return sample(centred, grid, theta_only=True)

    def read(self, views: Tensor) -> Tensor:
        """Return the logits of what views show.

        Args:
            views: N×3×v×v, from ``view``.

        Returns:
            N×(4 classes + 1): logit 4 c + t says class c in a view that has to be turned by t
            quarters to be upright; the last says none of the classes.
        """
        values: Tensor = self.reader(views).to(torch.float32)
        return values

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Find, turn and read the sign in each crop.

        Args:
            crops: float32 N×3×S×S, RGB in [0, 1].

        Returns:
            ``theta`` N×3×3, upright view to crop in normalised axes (``align_corners=False``);
            ``log_variance`` N×8 of the view's corners (x, y of top-left, top-right, bottom-right,
            bottom-left) in normalised crop axes; ``score`` N, from 1 where the predicted corner
            error is far below a twentieth of the crop's half width to 0 where it is far above;
            ``class_logits`` N×(classes + 1), none of the classes last.
        """
        centred = self.centred(crops)
        corners, bin_logits, corrections, log_variance = self.locator(centred)
        unturned = theta_from_corners(corners)
        theta = turned(unturned, self.angles(bin_logits, corrections))
        logits = self.read(self.view(centred, theta))
        per_turn = logits[:, :-1].reshape(-1, self.classes, 4)
        class_logits = torch.cat([torch.logsumexp(per_turn, dim=2), logits[:, -1:]], dim=1)
        sign = class_logits[:, :-1].argmax(dim=1).reshape(-1, 1, 1).expand(-1, 1, 4)
        turns = per_turn.gather(1, sign).squeeze(1).argmax(dim=1)
        theta = turned(theta, turns.to(theta.dtype) * (0.5 * math.pi))
        # Turning the view hands each corner's place to the next one.
        index = torch.remainder(
            torch.arange(4, device=turns.device).unsqueeze(0) + turns.unsqueeze(1), 4
        )
        ordered = log_variance.reshape(-1, 4, 2).gather(1, index.unsqueeze(2).expand(-1, -1, 2))
        ordered = ordered + self.log_variance_shift
        sigma = torch.exp(0.5 * ordered).mean(dim=[1, 2])
        return {
            "theta": theta,
            "log_variance": ordered.reshape(-1, 8),
            "score": 1.0 / (1.0 + (sigma / 0.05).square()),
            "class_logits": class_logits,
        }

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        fold_blocks(self)
