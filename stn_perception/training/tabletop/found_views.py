# SPDX-License-Identifier: Apache-2.0
"""What an earlier network finds in first crops of objects, for refinement crops to follow."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from stn_perception.stn.oriented_box import OrientedBoxNetwork
from stn_perception.training.crops import CropSettings, cut
from stn_perception.training.earlier_network import earlier_network, found_corners
from stn_perception.training.tabletop.config import TabletopConfig
from stn_perception.training.tabletop.crops import Matrix, degraded, first_crop
from stn_perception.training.tabletop.pool import ScenePool

# So often the network looks before the crop that is learned from: as often as it is refined.
_LOOKS = (1, 2)
# A box thinner than this share of the crop is no estimate to crop along.
_THINNEST = 0.03


class FoundViews:
    """Finds objects with the network of an earlier run.

    Args:
        settings: of the task; ``found_by`` is the run's checkpoint, read when it is first used.
        crops: margins.
        size: side of the crops.
    """

    def __init__(self, settings: TabletopConfig, crops: CropSettings, size: int) -> None:
        self.settings = settings
        self.crops = crops
        self.size = size

    @cached_property
    def network(self) -> OrientedBoxNetwork:
        """The network, in evaluation mode.

        Raises:
            ConfigError: ``found_by`` is no checkpoint of such a network.
        """
        return earlier_network(self.settings.found_by, OrientedBoxNetwork)

    def __call__(
        self,
        rng: np.random.Generator,
        pool: ScenePool,
        indices: NDArray[np.int64],
        seeds: NDArray[np.int64],
    ) -> list[Matrix | None]:
        """Return picture_from_crop of refinement crops; none where nothing usable is found.

        Args:
            rng: source of the first crops' errors.
            pool: the scenes.
            indices: N, which objects.
            seeds: N, of what ``degraded`` does to each object's crops.
        """
        margin = self.crops.box_margin
        matrices: list[Matrix | None] = [
            first_crop(rng, pool, int(index), margin) for index in indices
        ]
        looks = rng.choice(_LOOKS, len(indices))
        for look in range(max(_LOOKS)):
            self._look(pool, indices, seeds, matrices, looks > look)
        return matrices

    def _look(
        self,
        pool: ScenePool,
        indices: NDArray[np.int64],
        seeds: NDArray[np.int64],
        matrices: list[Matrix | None],
        looking: NDArray[np.bool_],
    ) -> None:
        """Replace crops by those along what is found in them."""
        crops, places, starts = [], [], []
        for place, matrix in enumerate(matrices):
            if looking[place] and matrix is not None:
                picture = pool.pictures[pool.scene[indices[place]]]
                crop = degraded(
                    np.random.default_rng(seeds[place]), cut(picture, matrix, self.size)
                )
                crops.append(crop[..., None])
                places.append(place)
                starts.append(matrix)
        if crops:
            found = found_corners(self.network, crops)
            for place, start, corners in zip(places, starts, found, strict=True):
                matrices[place] = self._along(start, corners)

    def _along(self, picture_from_crop: Matrix, corners: Matrix) -> Matrix | None:
        u, v = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
        if not np.isfinite(corners).all() or min(np.linalg.norm(u), np.linalg.norm(v)) < _THINNEST:
            return None
        crop_from_view = np.eye(3)
        crop_from_view[:2, 0], crop_from_view[:2, 1] = u, v
        crop_from_view[:2, 2] = corners.mean(axis=0)
        margin = self.crops.refinement_margin
        return np.asarray(picture_from_crop @ crop_from_view @ np.diag([margin, margin, 1.0]))
