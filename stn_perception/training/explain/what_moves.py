# SPDX-License-Identifier: Apache-2.0
"""What moves a model's answers over many crops: mean maps and shares by region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.geometry.homography import transform_points
from stn_perception.geometry.pixels import (
    normalized_from_pixel,
    pixel_from_normalized,
    view_corners,
)
from stn_perception.runtime.archive import ModelArchive, ModelError
from stn_perception.training.explain.object_regions import (
    REGIONS,
    in_object_axes,
    object_axes,
    region_masks,
    region_shares,
)
from stn_perception.training.explain.sensitivity import (
    Map,
    Occlusion,
    gradient_maps,
    occlusion,
    occlusion_side_px,
    rank_agreement,
)

MAP_SIZE, MAP_REACH = 72, 1.5


@dataclass(frozen=True, eq=False)
class Explained:
    """What moves the answer for one crop.

    Attributes:
        gradient: h×w, or None where the network has none.
        hidden: of the same crop.
        agreement: rank correlation of both, or None.
        quad: the network's own answer for this crop, 4×2 pixels of the crop.
    """

    gradient: Map | None
    hidden: Occlusion
    agreement: float | None
    quad: Map


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What moves a model's answers, over many crops.

    Attributes:
        why_no_gradient: why occlusion is all there is; empty where gradients are there.
        mean_gradient, mean_hidden: size×size in the object's own axes over ±``reach`` half
            sides, each crop counting the same; the former None without gradients.
        gradient_shares, hidden_shares: mean share of each of ``REGIONS``.
        area_shares: the shares of an answer to which every pixel matters the same.
        examples: of the crops asked for.
    """

    why_no_gradient: str
    mean_gradient: Map | None
    mean_hidden: Map
    gradient_shares: dict[str, float] | None
    hidden_shares: dict[str, float]
    area_shares: dict[str, float]
    examples: Sequence[Explained]


def what_moves(
    archive: ModelArchive, crops: Sequence[NDArray[np.float32]], examples: Sequence[int]
) -> Sensitivity:
    """Measure gradients and occlusions.

    Args:
        archive: the model.
        crops: its inputs, each C×h×w in [0, 1].
        examples: which of them to keep maps of.
    """
    batch = np.stack(crops)
    gradients, why = None, ""
    try:
        gradients = gradient_maps(archive, batch)
    except ModelError as error:
        why = str(error)
    side = occlusion_side_px(archive)
    hidden = [occlusion(archive, crop, side) for crop in crops]
    thetas = archive.predict(batch).theta
    size = (archive.card.input_width, archive.card.input_height)
    masks = [region_masks(object_axes(theta, *size)) for theta in thetas]
    hidden_maps = [each.shift_px for each in hidden]
    return Sensitivity(
        why_no_gradient=why,
        mean_gradient=None if gradients is None else _mean_map(thetas, gradients),
        mean_hidden=_mean_map(thetas, hidden_maps),
        gradient_shares=None if gradients is None else _mean_shares(gradients, masks),
        hidden_shares=_mean_shares(hidden_maps, masks),
        area_shares=_mean_shares([np.ones_like(each) for each in hidden_maps], masks),
        examples=[
            Explained(
                gradient=None if gradients is None else gradients[i],
                hidden=hidden[i],
                agreement=None
                if gradients is None
                else rank_agreement(gradients[i], hidden[i], side),
                quad=transform_points(
                    pixel_from_normalized(*size) @ thetas[i] @ normalized_from_pixel(*size),
                    view_corners(*size),
                ),
            )
            for i in examples
        ],
    )


def _mean_map(thetas: Map, maps: Sequence[Map] | Map) -> Map:
    drawn = [
        in_object_axes(theta, each / max(float(each.sum()), 1e-12), MAP_SIZE, MAP_REACH)
        for theta, each in zip(thetas, maps, strict=True)
    ]
    return np.asarray(np.mean(drawn, axis=0))


def _mean_shares(
    maps: Sequence[Map] | Map, masks: Sequence[dict[str, NDArray[np.bool_]]]
) -> dict[str, float]:
    shares = [region_shares(each, mask) for each, mask in zip(maps, masks, strict=True)]
    return {name: float(np.mean([share[name] for share in shares])) for name in REGIONS}
