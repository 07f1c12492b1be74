# SPDX-License-Identifier: Apache-2.0
"""Find a quadrilateral's corners by heat maps, then move them onto the edges seen near them."""

from typing import Dict, Tuple  # noqa: UP035  (TorchScript reads these annotations)

import torch
from torch import Tensor, nn

from stn_perception.stn.blocks import unit_contrast
from stn_perception.stn.corner_heatmaps import CornerHeatmapNetwork
from stn_perception.stn.edge_refinement import EdgeRefiner
from stn_perception.stn.transforms import theta_from_corners


class QuadNetwork(nn.Module):
    """Corner heat maps and an edge refiner in one network.

    The heat maps are trained on their own first; here they are frozen, and the refiner learns
    from the very errors that they leave.

    Args:
        channels: of the crops, 1 or 3.
        input_size: crops are square with this side; a multiple of 16.
        widths: features of the heat maps at 1/2, 1/4, 1/8 and 1/16 of the input.
        edge_width: features of a column of the edge refiner.
    """

    def __init__(
        self,
        channels: int = 1,
        input_size: int = 64,
        widths: Tuple[int, int, int, int] = (16, 32, 48, 64),  # noqa: UP006
        edge_width: int = 128,
    ) -> None:
        super().__init__()
        self.heatmaps = CornerHeatmapNetwork(channels, input_size, widths)
        self.heatmaps.requires_grad_(False)
        # A trainer that sets no mode of its own keeps this one.
        self.heatmaps.eval()
        self.edges = EdgeRefiner(channels, edge_width)
        # Calibration: a power of the standard deviations, and a factor on them.
        self.log_variance_scale = nn.Parameter(torch.ones(()), requires_grad=False)
        self.log_variance_shift = nn.Parameter(torch.zeros(()), requires_grad=False)

    def train(self, mode: bool = True) -> "QuadNetwork":
        """Switch the refiner; the frozen heat maps stay in evaluation mode."""
        super().train(mode)
        self.heatmaps.eval()
        return self

    def coarse(self, crops: Tensor) -> Tensor:
        """Return the heat maps' corners, N×4×2 in normalised crop axes, clockwise.

        Args:
            crops: N×C×h×w, each at zero mean and unit contrast.
        """
        return self.heatmaps.chosen_corners(crops)

    def forward(self, crops: Tensor) -> Dict[str, Tensor]:  # noqa: UP006
        """Predict the view in each crop (see ``CornerHeatmapNetwork.forward``)."""
        crops = unit_contrast(crops)
        corners, log_variance = self.edges(crops, self.coarse(crops))
        log_variance = log_variance * self.log_variance_scale + self.log_variance_shift
        sigma = torch.exp(0.5 * log_variance).mean(dim=[1, 2])
        return {
            "theta": theta_from_corners(corners),
            "log_variance": log_variance.reshape(-1, 8),
            "score": 1.0 / (1.0 + (sigma / 0.05).square()),
        }

    def fold(self) -> None:
        """Fold every batch normalisation into its convolution (evaluation mode only)."""
        self.heatmaps.fold()
        self.edges.fold()
