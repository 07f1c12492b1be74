# SPDX-License-Identifier: Apache-2.0
"""A localization network for one kind of object, with the object's own canonical view inside.

The view's four corners are found as soft-argmax heat maps, and the transform of the chosen family
that fits them best is the answer. An object that looks different from every side has one labelling
of its corners for all turns from 0° to 360°, so that nothing is torn: corners move continuously as
the object turns, unlike an angle.
"""

from typing import Dict, Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import fold_blocks, unit_contrast
from stn_perception.stn.encoder_decoder import EncoderDecoder
from stn_perception.stn.grid import homography_grid
from stn_perception.stn.sampler import sample
from stn_perception.stn.transforms import corners_from_theta, theta_from_corners


class ObjectNetwork(nn.Module):
    """Crops of one kind of object to the transform of its canonical view.

    Args:
        channels: of the crops, 1 or 3.
        input_size: crops are square with this side; a multiple of 16.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the input.
        family: similarity, affine or projective.
        start: half side of the view that an untrained network predicts, normalised crop axes.
        template_size: side of the canonical view that is kept, in pixels.
        classes: how many classes the view is told apart into; 0 for none.
    """

    grid: Tensor

    def __init__(
        self,
        channels: int = 1,
        input_size: int = 64,
        widths: Tuple[int, int, int, int] = (16, 32, 48, 64),  # noqa: UP006
        family: str = "similarity",
        start: float = 0.67,
        template_size: int = 32,
        classes: int = 0,
    ) -> None:
        super().__init__()
        if family not in ("similarity", "affine", "projective"):
            raise ValueError(f"family is {family!r}, expected similarity, affine or projective")
        self.family = family
        self.classes = classes
        self.template_size = template_size
        self.trunk = EncoderDecoder(channels, input_size, widths)
        self.heads = nn.Conv2d(widths[1], 4 * 5, 1)
        # From noise: a picture without contrast has no correlation to climb.
        templates = 0.1 * torch.randn(max(1, classes), 1, template_size, template_size)
        self.template = nn.Parameter(templates)
        self.reader: nn.Module = view_reader(channels, classes) if classes else nn.Identity()
        cells = input_size // 4
        centres = (torch.arange(cells, dtype=torch.float32) * 2 + 1) / cells - 1
        grid_y, grid_x = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("grid", torch.stack([grid_x.reshape(-1), grid_y.reshape(-1)]))
        corner = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
        bias = torch.zeros(4, 5)
        # Offsets are in cells.
        bias[:, 1:3] = corner * start * cells / 2
        with torch.no_grad():
            self.heads.weight.mul_(0.1)
            self.heads.bias.copy_(bias.reshape(-1))  # type: ignore[union-attr, operator]

    def locate(self, crops: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
        """Return theta, N×3×3, and the corners' log-variance, N×4×2, normalised crop axes."""
        decoded, _ = self.trunk.features(unit_contrast(crops))
        maps = self.heads(decoded).reshape(crops.size(0), 4, 5, -1).to(torch.float32)
        weight = torch.softmax(maps[:, :, :1], dim=3)
        grid = self.grid.unsqueeze(0).unsqueeze(0)
        cell = grid[0, 0, 0, 1] - grid[0, 0, 0, 0]
        corners = (weight * (grid + maps[:, :, 1:3] * cell)).sum(dim=3)
        log_variance = (weight * maps[:, :, 3:]).sum(dim=3) - 6.0
        return fitted_theta(corners, self.family), log_variance

    def view(self, crops: Tensor, theta: Tensor) -> Tensor:
        """Return the canonical views of crops, N×C×T×T, T being the template's side."""
        size = self.template_size
        grid = homography_grid(theta, size, size, crops.size(2), crops.size(3))
        return sample(crops, grid, padding="border", theta_only=True)

    def likeness(self, views: Tensor) -> Tensor:
        """Return the correlation of views with the template most like each, N, -1 to 1."""
        gray = views.mean(dim=1, keepdim=True)
        window = round_window(gray)
        alike = correlation(gray, self.template[:1].expand(views.size(0), -1, -1, -1), window)
        for index in range(1, self.template.size(0)):
            template = self.template[index : index + 1].expand(views.size(0), -1, -1, -1)
            alike = torch.maximum(alike, correlation(gray, template, window))
        return alike

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Predict the view in each crop.

        Args:
            crops: float32 N×C×h×w in [0, 1].

        Returns:
            ``theta`` N×3×3, view to crop in normalised axes (``align_corners=False``);
            ``log_variance`` N×8 of the view's corners in normalised crop axes; ``score`` N, the
            correlation of the view with the template, 0 to 1; with classes ``class_logits``.
        """
        theta, log_variance = self.locate(crops)
        views = self.view(crops, theta)
        result = {
            "theta": theta,
            "log_variance": log_variance.reshape(-1, 8),
            "score": self.likeness(views).clamp(0.0, 1.0),
        }
        if self.classes > 0:
            result["class_logits"] = self.reader(views)
        return result

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        fold_blocks(self.trunk)


def view_reader(channels: int, classes: int) -> nn.Sequential:
    """Return a small classifier of views: views N×C×T×T to logits N×classes."""
    return nn.Sequential(
        nn.Conv2d(channels, 16, 5, stride=2, padding=2),
        nn.GroupNorm(4, 16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.GroupNorm(4, 32),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(4),
        nn.Flatten(),
        nn.Linear(32 * 16, classes),
    )


def fitted_theta(corners: Tensor, family: str) -> Tensor:
    """Return the transform of a family whose view's corners come closest to the given ones.

    Least squares in closed form for similarity and affine (the view's own corners are orthogonal
    as vectors over the four corners); exact for projective.

    Args:
        corners: N×4×2, (x, y) of top-left, top-right, bottom-right, bottom-left.
        family: similarity, affine or projective.

    Returns:
        N×3×3, view to the corners' axes.
    """
    if family == "projective":
        return theta_from_corners(corners)
    tl, tr, br, bl = corners[:, 0], corners[:, 1], corners[:, 2], corners[:, 3]
    centre = corners.mean(dim=1)
    along_x = (tr + br - tl - bl) / 4
    along_y = (bl + br - tl - tr) / 4
    if family == "similarity":
        cosine = (along_x[:, 0] + along_y[:, 1]) / 2
        sine = (along_x[:, 1] - along_y[:, 0]) / 2
        along_x = torch.stack([cosine, sine], dim=1)
        along_y = torch.stack([-sine, cosine], dim=1)
    upper = torch.stack([along_x, along_y, centre], dim=2)
    last = torch.zeros_like(upper[:, :1]) + torch.tensor(
        [0.0, 0.0, 1.0], dtype=upper.dtype, device=upper.device
    )
    return torch.cat([upper, last], dim=1)


def round_window(like: Tensor) -> Tensor:
    """Return weights that fade from 1 in a view's middle to 0 outside its inscribed circle.

    Args:
        like: N×C×T×T; type and device are taken from it.

    Returns:
        1×1×T×T.
    """
    size = like.size(3)
    axis = (torch.arange(size, dtype=like.dtype, device=like.device) * 2 + 1) / size - 1
    radius = (axis.reshape(1, -1).square() + axis.reshape(-1, 1).square()).sqrt()
    window = ((1.1 - radius) / 0.3).clamp(0.0, 1.0)
    return window.reshape(1, 1, size, size)


def correlation(first: Tensor, second: Tensor, window: Tensor) -> Tensor:
    """Return the normalised correlation of pictures under a window, N, -1 to 1.

    Blind to each picture's brightness and contrast.

    Args:
        first: N×1×T×T.
        second: N×1×T×T.
        window: 1×1×T×T, weights from 0 up.
    """
    weight = window / window.sum()
    a = first - (first * weight).sum(dim=[1, 2, 3], keepdim=True)
    b = second - (second * weight).sum(dim=[1, 2, 3], keepdim=True)
    joint = (weight * a * b).sum(dim=[1, 2, 3])
    power = (weight * a * a).sum(dim=[1, 2, 3]) * (weight * b * b).sum(dim=[1, 2, 3])
    return joint / (power + 1e-10).sqrt()


def view_half_side(theta: Tensor) -> Tensor:
    """Return half the side of the square with a view's area, N, at least 1e-3."""
    corners = corners_from_theta(theta)
    a, b = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    area = 0.5 * (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
    return area.clamp(min=4e-6).sqrt() / 2
