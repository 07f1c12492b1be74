# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stn_perception.training.config import TrainingConfig
from stn_perception.training.own_bag.made_bag import MadeBagSettings, make_bag

SMALL = {"width": 320, "height": 240, "max_tilt": 0.15}


@pytest.fixture(scope="session")
def made_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "bag"
    make_bag(path, MadeBagSettings(frames=200, **SMALL), seed=1)
    return path


@pytest.fixture(scope="session")
def other_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same object in other frames, over other photographs."""
    path = tmp_path_factory.mktemp("other") / "bag"
    make_bag(path, MadeBagSettings(frames=120, other_places=True, **SMALL), seed=2)
    return path


@pytest.fixture(scope="session")
def two_objects_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("two") / "bag"
    make_bag(path, MadeBagSettings(frames=120, objects=(0, 1), **SMALL), seed=3)
    return path


@pytest.fixture(scope="session")
def config_of() -> Callable[..., TrainingConfig]:
    """A small run on a bag: ``config_of(bag, epochs, steps, bag={...}, unsupervised={...})``."""

    def make(path: Path, epochs: int, steps: int, **parts: Any) -> TrainingConfig:
        bag = {"path": str(path), **parts.pop("bag", {})}
        optimization = {
            "epochs": epochs,
            "steps_per_epoch": steps,
            "batch_size": 32,
            "learning_rate": 0.005,
            "average_decay": 0.98,
            "threads": 1,
            "loader_workers": 0,
        }
        return TrainingConfig.model_validate(
            {
                "name": "mug",
                "task": "bag",
                "strategy": "unsupervised",
                "device": "cpu",
                "refinement_steps": 1,
                "network": {"input_size": 48, "widths": [16, 32, 48, 64]},
                "bag": bag,
                "optimization": optimization,
                **parts,
            }
        )

    return make
