# SPDX-License-Identifier: Apache-2.0
"""Make the predicted standard deviation mean what it says."""

from __future__ import annotations

import numpy as np

from stn_perception.runtime.archive import ModelArchive
from stn_perception.training.measuring import measure_archive
from stn_perception.training.pool import scene
from stn_perception.training.scenes import QuadSceneSettings

# The share of a normal distribution within one standard deviation.
WITHIN_ONE_SIGMA = 0.6827

# Another seed than training's and any score's.
_SEED = 991


def sigma_factor(archive: ModelArchive, settings: QuadSceneSettings, count: int) -> float:
    """Return the factor on every predicted standard deviation that makes 1 σ hold 68.27 %.

    Measured after the card's refinement steps, on held-out materials: a network is surer of
    what it has seen in training.

    Raises:
        ValueError: the archive predicts no variance.
    """
    samples = [scene(_SEED, i, settings, held_out=True) for i in range(count)]
    errors = measure_archive(archive, samples, archive.card.refinement_steps)
    if errors.in_sigmas.size == 0:
        raise ValueError(f"the model {archive.card.name} predicts no variance to calibrate")
    return float(np.quantile(errors.in_sigmas, WITHIN_ONE_SIGMA))
