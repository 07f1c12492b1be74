# SPDX-License-Identifier: Apache-2.0
"""Fit a network to a configuration: training loop, checkpoints, logs."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from stn_perception.training.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig, load_config
from stn_perception.training.data import TaskData
from stn_perception.training.learner import Learner
from stn_perception.training.tasks import Task, task_for

# What a resumed run must share with the run it goes on with.
_KEPT_ON_RESUME = (
    "task",
    "strategy",
    "seed",
    "crops",
    "network",
    "tabletop",
    "signs",
    "bag",
    "weak",
    "unsupervised",
    "optimization",
)


def _report(done: int, total: int) -> None:
    print(
        f"\rsamples {done}/{total}", end="\n" if done >= total else "", file=sys.stderr, flush=True
    )


def check_resume(checkpoint: Path, config: TrainingConfig) -> None:
    """Refuse a checkpoint that is missing, damaged or of another run.

    Raises:
        ConfigError: one sentence on which of these it is.
    """
    try:
        trained = read_checkpoint(checkpoint).config
    except CheckpointError as error:
        raise ConfigError(f"cannot resume: {error}") from error
    for part in _KEPT_ON_RESUME:
        if getattr(trained, part) != getattr(config, part):
            raise ConfigError(
                f"cannot resume {checkpoint}: it was trained with another {part} "
                f"({getattr(trained, part)}), expected {getattr(config, part)}"
            )


def _initial(config: TrainingConfig) -> Checkpoint | None:
    """Read the run that this one goes on from.

    Raises:
        ConfigError: it is no checkpoint of the same network.
    """
    if config.initial is None:
        return None
    try:
        start = read_checkpoint(config.initial)
    except CheckpointError as error:
        raise ConfigError(f"initial: {error}") from error
    if (start.config.task, start.config.network) != (config.task, config.network):
        raise ConfigError(
            f"initial: {config.initial} holds the network {start.config.network} of the task "
            f"{start.config.task}, expected {config.network} of the task {config.task}"
        )
    return start


def _new_learner(config: TrainingConfig, task: Task, command: str) -> Learner:
    start = _initial(config)
    earlier: list[dict[str, str]] = []
    if start is not None:
        pairs = zip(start.runs, start.commands, strict=True)
        earlier = [{"seen": seen, "command": command} for seen, command in pairs]
    learner = Learner(config.model_dump(mode="json"), command, earlier, task)
    if start is not None:
        learner.network.load_state_dict(start.weights)
        learner.average.module.load_state_dict(start.weights)
    return learner


def _trainer(config: TrainingConfig, output: Path) -> lightning.Trainer:
    """Return Lightning's trainer as configured.

    Raises:
        ConfigError: this machine lacks the devices, or Lightning does not know the back end.
    """
    settings = config.optimization
    checkpoints = ModelCheckpoint(
        dirpath=output / "checkpoints",
        filename="{epoch:04d}",
        save_last=True,
        save_top_k=3,
        monitor="epoch",
        mode="max",
        enable_version_counter=False,
        # After the epoch is counted: a checkpoint taken earlier would resume with its steps.
        save_on_train_epoch_end=True,
    )
    try:
        return lightning.Trainer(
            accelerator=config.device,
            devices=settings.devices,
            num_nodes=settings.num_nodes,
            strategy=settings.distributed,
            precision=settings.precision,
            max_epochs=settings.epochs,
            logger=TensorBoardLogger(output, name="logs", version=""),
            callbacks=[checkpoints, TQDMProgressBar(refresh_rate=50)],
            gradient_clip_val=settings.gradient_clip,
            num_sanity_val_steps=0,
            log_every_n_steps=50,
            default_root_dir=output,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"cannot train with device {config.device}, devices {settings.devices}, num_nodes "
            f"{settings.num_nodes}, distributed {settings.distributed}: {reason}"
        ) from error


def fit(
    config: TrainingConfig,
    output: Path,
    resume: Path | None = None,
    command: str = "",
    task: Task | None = None,
) -> Path:
    """Train as configured; see ``train``.

    Args:
        config: of the run.
        output: folder for checkpoints and TensorBoard logs.
        resume: checkpoint of the same configuration to go on from, or none.
        command: the command that started it, for the card.
        task: the configured task, where it is already made.

    Returns:
        The last checkpoint.
    """
    settings = config.optimization
    # OpenCV's own threads would not survive into the loader's forked workers.
    cv2.setNumThreads(0)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    trainer = _trainer(config, output)
    task = task if task is not None else task_for(config)
    task.prepare(_report)
    lightning.seed_everything(config.seed, workers=False, verbose=False)
    learner = _new_learner(config, task, command)
    data = TaskData(task, settings.steps_per_epoch, settings.loader_workers)
    trainer.fit(learner, datamodule=data, ckpt_path=resume)
    return output / "checkpoints" / "last.ckpt"


def train(config_path: Path, resume: Path | None, output: Path) -> Path:
    """Fit a network as a configuration file says.

    Args:
        config_path: YAML, see ``TrainingConfig``.
        resume: checkpoint of the same configuration to go on from, or none.
        output: folder for checkpoints and TensorBoard logs.

    Returns:
        The last checkpoint.

    Raises:
        ConfigError: the configuration or the checkpoint to resume cannot be used.
    """
    config = load_config(config_path)
    if resume is not None:
        check_resume(resume, config)
    _initial(config)
    output.mkdir(parents=True, exist_ok=True)
    command = f"stn train {config_path} --output {output}"
    return fit(config, output, resume, command)
