# SPDX-License-Identifier: Apache-2.0
"""How many digits are found: the view and the digit's 28×28 px overlap by more than one half."""

from __future__ import annotations

import torch
from torch import Tensor

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.colocalize.pictures import ClassPictures
from stn_perception.studies.learning.lesson import device_of
from stn_perception.studies.localize.overlap import overlap

_ENOUGH = 0.5


def views_of(transformer: SpatialTransformer, images: Tensor) -> Tensor:
    """Return where a transformer looks, N×2×3, without gradients."""
    with torch.no_grad():
        return transformer.predict(images.to(device_of(transformer))).cpu()


def found_percent(theta: Tensor, pictures: ClassPictures) -> float:
    """Return the share of pictures whose digit is found."""
    return 100 * float((overlap(theta, pictures.truth) > _ENOUGH).double().mean())


def mean_overlap(theta: Tensor, pictures: ClassPictures) -> float:
    """Return the mean intersection over union of views and digits."""
    return float(overlap(theta, pictures.truth).mean())
