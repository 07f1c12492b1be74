# SPDX-License-Identifier: Apache-2.0
"""Generated pictures of planar quadrilaterals with exact corners."""

from stn_perception.training.scenes.materials import HELD_OUT, TRAINING, Materials
from stn_perception.training.scenes.quad_scene import QuadSceneSettings, generate_scene
from stn_perception.training.scenes.sample import LabelledSample

__all__ = [
    "HELD_OUT",
    "TRAINING",
    "LabelledSample",
    "Materials",
    "QuadSceneSettings",
    "generate_scene",
]
