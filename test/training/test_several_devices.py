# SPDX-License-Identifier: Apache-2.0
"""Several processes train one network; a wrong number of devices is refused in one sentence."""

from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from stn_perception.training.checkpoints import read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.fit import fit
from stn_perception.training.pool import ScenePool
from stn_perception.training.quads import QuadsTask

from .tiny import finished, start_training, tiny_settings, write_config


def test_two_processes_train_one_network_on_different_crops(
    scene_folder: Path, pool: ScenePool, tmp_path: Path
) -> None:
    several = {"devices": 2, "distributed": "ddp"}
    settings = tiny_settings(scene_folder, 2, 3, optimization=several)
    config = write_config(tmp_path / "two.yaml", settings)
    process = start_training(config, tmp_path / "two")
    output, error = finished(process)
    assert process.returncode == 0, error
    assert output.count("checkpoint: ") == 1, "the second process has nothing to say"
    both = read_checkpoint(tmp_path / "two" / "checkpoints" / "last.ckpt")
    alone = TrainingConfig.model_validate(tiny_settings(scene_folder, 2, 3))
    single = read_checkpoint(fit(alone, tmp_path / "one", task=QuadsTask(alone, pool)))
    changed = [n for n, v in single.weights.items() if not torch.equal(v, both.weights[n])]
    assert changed, "the second process's crops have moved the weights elsewhere"
    events = EventAccumulator(str(tmp_path / "two" / "logs"), size_guidance={"images": 0})
    events.Reload()
    assert len(events.Images("held_out/views")) == 2, "one set of pictures per epoch, not two"


def test_each_process_cuts_crops_of_its_own(pool: ScenePool, scene_folder: Path) -> None:
    task = QuadsTask(TrainingConfig.model_validate(tiny_settings(scene_folder, 1, 1)), pool)
    assert torch.equal(task.batch(3, 0).crops, task.batch(3, 0).crops)
    assert not torch.equal(task.batch(3, 0).crops, task.batch(3, 1).crops)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"optimization": {"distributed": "telepathy"}}, "telepathy"),
        pytest.param(
            {"device": "gpu"},
            "gpu",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU"),
        ),
    ],
)
def test_devices_that_are_not_there_are_named_before_anything_is_drawn(
    tmp_path: Path, changes: dict[str, object], words: str
) -> None:
    settings = tiny_settings(tmp_path / "scenes", 1, 1, **changes)
    with pytest.raises(ConfigError, match=words) as refusal:
        fit(TrainingConfig.model_validate(settings), tmp_path / "run")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "scenes").exists()
