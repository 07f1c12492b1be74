# SPDX-License-Identifier: Apache-2.0
"""The scenes that small trainings share."""

from pathlib import Path

import pytest

from stn_perception.training.pool import CHUNK, ScenePool, build_pool
from stn_perception.training.scenes import QuadSceneSettings


@pytest.fixture(scope="session")
def scene_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the first chunk of scenes as a default configuration wants them."""
    folder = tmp_path_factory.mktemp("scenes")
    build_pool(folder, 1, CHUNK, QuadSceneSettings(), workers=1)
    return folder


@pytest.fixture(scope="session")
def pool(scene_folder: Path) -> ScenePool:
    return build_pool(scene_folder, 1, CHUNK, QuadSceneSettings(), workers=1)
