# SPDX-License-Identifier: Apache-2.0
"""Fit a network to a configuration: training loop, checkpoints, logs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import cv2
import lightning
import torch
from lightning.pytorch.utilities.exceptions import SIGTERMException
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.training.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig, load_config
from stn_perception.training.data import TaskData
from stn_perception.training.labels.comparison import Compared
from stn_perception.training.learner import Learner
from stn_perception.training.tasks import ComparedTask, Task, task_for
from stn_perception.training.trainer import last_checkpoint, trainer_for

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
    known = (config.network, config.network.model_copy(update={"edge_width": 0}))
    if start.config.task != config.task or start.config.network not in known:
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
        for network in (learner.network, learner.average.module):
            if start.config.network.edge_width == 0 and isinstance(network, QuadNetwork):
                network.heatmaps.load_state_dict(start.weights)
            else:
                network.load_state_dict(start.weights)
    return learner


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
    trainer = trainer_for(config, output)
    task = task if task is not None else task_for(config)
    task.prepare(_report)
    lightning.seed_everything(config.seed, workers=False, verbose=False)
    learner = _new_learner(config, task, command)
    data = TaskData(task, settings.steps_per_epoch, settings.loader_workers)
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        trainer.fit(learner, datamodule=data, ckpt_path=resume)
    except SystemExit as ended:
        # Lightning makes Ctrl-C exit status 1 and SIGTERM 0, and ignores Ctrl-C from then on.
        by_keyboard = isinstance(ended.__context__, KeyboardInterrupt)
        if not by_keyboard and not isinstance(ended, SIGTERMException):
            raise
        signal.signal(signal.SIGINT, on_interrupt)
        if trainer.is_global_zero:
            print(f"\n{_how_to_resume(output, command)}", file=sys.stderr)
        if by_keyboard:
            raise KeyboardInterrupt from ended
        raise SystemExit(128 + signal.SIGTERM) from ended
    return last_checkpoint(output)


def _how_to_resume(output: Path, command: str) -> str:
    last = last_checkpoint(output)
    if not last.is_file():
        return "training was interrupted before its first checkpoint, nothing is kept"
    return f"training was interrupted; go on after the last epoch with: {command} --resume {last}"


def compared(checkpoint: Path) -> Compared | None:
    """Compare a trained network with the labels it was given, on exact truth.

    Returns:
        Errors of both; none where the labels were exact or there were none.
    """
    trained = read_checkpoint(checkpoint)
    task = task_for(trained.config)
    return task.compare(trained.network()) if isinstance(task, ComparedTask) else None


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
    checkpoint = fit(config, output, resume, command)
    if rank_zero_only.rank:
        raise SystemExit(0)  # one of the processes that the first one started; it alone goes on
    return checkpoint
