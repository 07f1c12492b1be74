# SPDX-License-Identifier: Apache-2.0
"""A localization network that finds a view's four corners as soft-argmax heat maps.

Four corners that may be turned by any angle cannot be told apart by one continuous labelling: a
quarter turn must hand each corner's name to the next, so every labelling is torn at some turn, and
a network that averages there puts all corners in the middle. Two heads with labellings torn 45°
apart cure it: head A is right for turns from -45° to 45°, head B for turns from 0° to 90°, and the
network predicts which of the two is far from its tear.
"""

from typing import Dict, List, Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import fold_blocks, unit_contrast
from stn_perception.stn.encoder_decoder import EncoderDecoder
from stn_perception.stn.transforms import theta_from_corners


class CornerHeatmapNetwork(EncoderDecoder):
    """Crops to corners, theta, their uncertainty and a score.

    At 1/4 of the input each head holds per corner a heat map, an offset field and a log-variance
    field; soft-argmax takes their expectation. The heat map's own spread enters the variance too,
    with learned weights.

    Args:
        channels: of the crops, 1 or 3.
        input_size: crops are square with this side; a multiple of 16.
        widths: features at 1/2, 1/4, 1/8 and 1/16 of the input.
    """

    grid: Tensor

    def __init__(
        self,
        channels: int = 1,
        input_size: int = 64,
        widths: Tuple[int, int, int, int] = (16, 32, 48, 64),  # noqa: UP006
    ) -> None:
        super().__init__(channels, input_size, widths)
        w4, w16 = widths[1], widths[3]
        # Two heads × 4 corners × (heat, offset x, offset y, log-variance x, log-variance y).
        self.heads = nn.Conv2d(w4, 2 * 4 * 5, 1)
        self.selector = nn.Linear(w16, 1)
        self.spread_weight = nn.Parameter(torch.tensor(0.3))
        self.log_variance_shift = nn.Parameter(torch.zeros(()), requires_grad=False)
        cells = input_size // 4
        self.cell = 2.0 / cells
        centres = (torch.arange(cells, dtype=torch.float32) * 2 + 1) / cells - 1
        grid_y, grid_x = torch.meshgrid(centres, centres, indexing="ij")
        self.register_buffer("grid", torch.stack([grid_x.reshape(-1), grid_y.reshape(-1)]))
        nn.init.zeros_(self.heads.weight[:, :, 0, 0])
        nn.init.zeros_(self.selector.weight)

    def both_heads(self, crops: Tensor) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """Return what each head says, and how sure the network is that head A is to be used.

        Args:
            crops: float32 N×C×h×w in [0, 1].

        Returns:
            corners N×2×4×2 (head, corner, x y) in normalised crop axes; their log-variance,
            N×2×4×2; the logit for head A, N.
        """
        decoded, pooled = self.features(unit_contrast(crops))
        maps = self.heads(decoded).reshape(crops.size(0), 8, 5, -1)
        corners, position, weight = self._expected(maps)
        log_variance = self._log_variance(corners, position, weight, maps)
        shape = [-1, 2, 4, 2]
        head_a = self.selector(pooled).squeeze(1)
        return corners.reshape(shape), log_variance.reshape(shape), head_a

    def chosen_corners(self, crops: Tensor) -> Tensor:
        """Return the corners of the head that is to be used, N×4×2 in normalised crop axes.

        Args:
            crops: N×C×h×w, each at zero mean and unit contrast.
        """
        corners, _, _ = self._expected(self._chosen_maps(crops, 3))
        return corners

    def _chosen_maps(self, crops: Tensor, kinds: int) -> Tensor:
        """Return N×4×kinds×cells, the first kinds of maps of the head that is to be used.

        The head is chosen before its maps are made: half of them are never needed.
        """
        decoded, pooled = self.features(crops)
        use_a = (self.selector(pooled) > 0).unsqueeze(2)
        bias = self.heads.bias
        assert bias is not None
        biases = bias.reshape(2, 4, 5, 1)[:, :, :kinds].flatten(1, 2)
        weights = self.heads.weight.reshape(2, 4, 5, -1)[:, :, :kinds].flatten(1, 2)
        weight = torch.where(use_a, weights[0], weights[1])
        bias = torch.where(use_a, biases[0], biases[1])
        maps = torch.baddbmm(bias, weight, decoded.flatten(2))
        return maps.reshape(crops.size(0), 4, kinds, -1)

    def _expected(self, maps: Tensor) -> Tuple[Tensor, Tensor, Tensor]:  # noqa: UP006
        """Take the expectation of K corners over the cells.

        Args:
            maps: N×K×3 or more×cells.

        Returns:
            corners, N×K×2; where each cell sees the corner, N×K×2×cells, and that cell's weight,
            N×K×1×cells.
        """
        weight = torch.softmax(maps[:, :, :1], dim=3)
        # Offsets are in cells, so that the network's outputs are of order one.
        position = torch.add(self.grid, maps[:, :, 1:3], alpha=self.cell)
        return (weight * position).sum(dim=3), position, weight

    def _log_variance(
        self, corners: Tensor, position: Tensor, weight: Tensor, maps: Tensor
    ) -> Tensor:
        """Return the log-variance of K expected corners, N×K×2, from N×K×5×cells maps."""
        spread = (weight * (position - corners.unsqueeze(3)).square()).sum(dim=3)
        log_variance = (weight * maps[:, :, 3:]).sum(dim=3) - 6.0
        log_variance = log_variance + self.spread_weight * (torch.log(spread + 1e-4) + 6.0)
        return log_variance + self.log_variance_shift

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Predict the view in each crop.

        Args:
            crops: float32 N×C×h×w in [0, 1], normalised as the card says.

        Returns:
            ``theta`` N×3×3, view to crop in normalised axes (``align_corners=False``);
            ``log_variance`` N×8 of the view's corners (x, y of top-left, top-right, bottom-right,
            bottom-left) in normalised crop axes; ``score`` N, from 1 where the predicted corner
            error is far below a twentieth of the crop's half width to 0 where it is far above.
        """
        maps = self._chosen_maps(unit_contrast(crops), 5)
        corners, position, weight = self._expected(maps)
        log_variance = self._log_variance(corners, position, weight, maps)
        sigma = torch.exp(0.5 * log_variance).mean(dim=[1, 2])
        return {
            "theta": theta_from_corners(corners),
            "log_variance": log_variance.reshape(-1, 8),
            "score": 1.0 / (1.0 + (sigma / 0.05).square()),
        }

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        fold_blocks(self)


def turn_of_corners(corners: Tensor) -> Tensor:
    """Return by how much a clockwise quadrilateral is turned, N, radians in (-π, π].

    It is the phase of the corners' first harmonic (their discrete Fourier transform as complex
    numbers), the turn of the similarity that fits best. Handing every corner's name to the next
    changes it by exactly a quarter turn, and it is defined for every quadrilateral with a positive
    area, however skewed (area is proportional to the first harmonic's power minus the mirrored
    one's).

    Args:
        corners: N×4×2, clockwise on the screen, x right and y down.
    """
    a = corners[:, 0] - corners[:, 2]
    b = corners[:, 1] - corners[:, 3]
    # z = (c0 - c2) - i (c1 - c3); an upright square has phase -135°.
    real = a[:, 0] + b[:, 1]
    imaginary = a[:, 1] - b[:, 0]
    angle = torch.atan2(imaginary, real) + 0.75 * torch.pi
    return torch.remainder(angle + torch.pi, 2 * torch.pi) - torch.pi


def labelled_for_heads(corners: Tensor) -> Tuple[Tensor, Tensor]:  # noqa: UP006
    """Order corners as each head names them.

    Args:
        corners: N×4×2, clockwise, starting anywhere.

    Returns:
        N×2×4×2: for head A the order whose turn lies in [-45°, 45°), for head B in [0°, 90°); and
        the cosine of four times the turn, N: 1 where head A is farthest from its tear, -1 where
        head B is.
    """
    turn = turn_of_corners(corners)
    quarter = torch.pi / 2
    shift_a = torch.floor(turn / quarter + 0.5).to(torch.int64)
    shift_b = torch.floor(turn / quarter).to(torch.int64)
    index = torch.arange(4, device=corners.device)
    orders: List[Tensor] = []  # noqa: UP006
    for shift in (shift_a, shift_b):
        order = torch.remainder(index.unsqueeze(0) - shift.unsqueeze(1), 4)
        orders.append(torch.gather(corners, 1, order.unsqueeze(2).expand(-1, -1, 2)))
    return torch.stack(orders, dim=1), torch.cos(4 * turn)
