# SPDX-License-Identifier: Apache-2.0
"""Crops of boxes and the composition with theta, against the host's geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stn_perception.geometry.boxes import CropShape, OrientedBox, frame_from_crop
from stn_perception.geometry.pixels import normalized_from_pixel, pixel_from_normalized
from stn_perception.runtime.cuda.crops import frame_from_crops


@pytest.mark.parametrize("shape", ["stretch", "square"])
def test_many_crops_are_the_crops_of_each_box(shape: CropShape) -> None:
    rng = np.random.default_rng(0)
    boxes = rng.uniform([-50, -50, 1, 1, -3], [900, 700, 300, 200, 3], (20, 5))
    crops = frame_from_crops(boxes, 1.25, 64, 48, shape)
    for box, crop in zip(boxes, crops, strict=True):
        expected = frame_from_crop(OrientedBox(*box), 1.25, 64, 48, shape)
        np.testing.assert_allclose(crop, expected, rtol=1e-13, atol=1e-10)


def test_a_box_without_area_is_refused() -> None:
    with pytest.raises(ValueError, match="has no area"):
        frame_from_crops(np.array([[5.0, 5.0, 0.0, 3.0, 0.0]]), 1.0, 8, 8, "stretch")


@pytest.mark.parametrize("rows", [2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_composition_equals_the_product_in_float64(
    device: torch.device, rows: int, dtype: torch.dtype
) -> None:
    from stn_perception.runtime.cuda import launches

    rng = np.random.default_rng(1)
    crops = rng.normal(size=(17, 3, 3))
    theta = torch.from_numpy(rng.normal(size=(17, rows, 3))).to(dtype)
    sides = np.stack([pixel_from_normalized(32, 24), normalized_from_pixel(64, 48)])
    result = torch.zeros((17, 3, 3), dtype=torch.float64, device=device)
    launches.compose(
        torch.from_numpy(crops).to(device),
        theta.to(device),
        torch.from_numpy(sides).to(device),
        result,
    )
    full = np.tile(np.array([0.0, 0.0, 1.0]), (17, 3, 1))
    full[:, :rows] = theta.double().numpy()
    np.testing.assert_allclose(result.cpu(), crops @ sides[0] @ full @ sides[1], atol=1e-11)


def test_composition_refuses_to_overwrite_what_it_reads(device: torch.device) -> None:
    from stn_perception.runtime.cuda import launches

    crops = torch.zeros((2, 3, 3), dtype=torch.float64, device=device)
    theta = torch.zeros((2, 3, 3), device=device)
    with pytest.raises(ValueError, match="share memory"):
        launches.compose(crops, theta, crops, crops)
