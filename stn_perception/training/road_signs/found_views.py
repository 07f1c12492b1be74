# SPDX-License-Identifier: Apache-2.0
"""What an earlier reader finds in first crops of signs, for refinement crops to follow."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stn_perception.stn.sign_reader import SignReader
from stn_perception.training.crops import cut, frame_from_square
from stn_perception.training.earlier_network import earlier_network, found_corners
from stn_perception.training.road_signs.config import SignCropSettings
from stn_perception.training.road_signs.crops import (
    Matrix,
    Points,
    box_crop,
    coarse_estimate,
    is_convex,
)
from stn_perception.training.road_signs.pool import SignPool
from stn_perception.training.view_axes import projected

# Half of the first crops are of boxes, half along estimates as wrong as the settings' coarse ones.
_COARSE_SHARE = 0.5
# A view that reaches further than this many half crops is no estimate.
_FARTHEST = 3.0


class FoundViews:
    """Finds signs with the network of an earlier run.

    Args:
        settings: of the crops; ``found_by`` is the run's checkpoint, read when it is first used.
        size: side of the crops.
    """

    def __init__(self, settings: SignCropSettings, size: int) -> None:
        self.settings = settings
        self.size = size

    @cached_property
    def network(self) -> SignReader:
        """The network, in evaluation mode.

        Raises:
            ConfigError: ``found_by`` is no checkpoint of a reader.
        """
        return earlier_network(self.settings.found_by, SignReader)

    def __call__(
        self, rng: np.random.Generator, pool: SignPool, indices: NDArray[np.int64]
    ) -> list[Points | None]:
        """Return the view's corners in the frame, from its top-left; none where it folds.

        Args:
            rng: source of the first crops' errors.
            pool: the scenes.
            indices: N, which of them.
        """
        if len(indices) == 0:
            return []
        crops, matrices = [], []
        for index in indices:
            matrices.append(self._first(rng, pool, int(index)))
            crop = cut(pool.picture(int(index)), matrices[-1], self.size)
            crops.append(crop.astype(np.float32) / np.float32(255))
        found = found_corners(self.network, crops)
        return [
            np.asarray(projected(matrix, corners)) if _is_view(corners) else None
            for matrix, corners in zip(matrices, found, strict=True)
        ]

    def _first(self, rng: np.random.Generator, pool: SignPool, index: int) -> Matrix:
        settings = self.settings
        if rng.random() >= _COARSE_SHARE:
            return box_crop(rng, pool.outlines[index], settings)
        margin = np.diag([settings.refinement_margin, settings.refinement_margin, 1.0])
        estimate = frame_from_square(coarse_estimate(rng, settings.coarse_sigma))
        return np.asarray(frame_from_square(pool.corners[index]) @ estimate @ margin)


def _is_view(corners: Points) -> bool:
    near = bool(np.isfinite(corners).all() and np.abs(corners).max() < _FARTHEST)
    return near and is_convex(corners)
