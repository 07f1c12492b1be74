# SPDX-License-Identifier: Apache-2.0
"""Scenes that several tests of the table-top task share."""

import cv2
import numpy as np
import pytest

from stn_perception.training.scenes import TRAINING as MATERIALS
from stn_perception.training.tabletop.cutouts import build_cutouts
from stn_perception.training.tabletop.kinds import TRAINING
from stn_perception.training.tabletop.pasted_scene import pasted_scene
from stn_perception.training.tabletop.pool import ScenePool, pool_of


@pytest.fixture(scope="session")
def pasted_pool() -> ScenePool:
    cv2.setNumThreads(1)
    library = build_cutouts(3, 120, TRAINING)
    return pool_of(
        [pasted_scene(np.random.default_rng([3, i]), library, MATERIALS) for i in range(120)]
    )
