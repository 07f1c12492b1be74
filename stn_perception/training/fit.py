# SPDX-License-Identifier: Apache-2.0
"""Fit a network to a configuration: scenes, training loop, checkpoints, logs."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from stn_perception.training.checkpoints import Checkpoint, CheckpointError, read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig, load_config
from stn_perception.training.data import HeldOutCrops, training_loader
from stn_perception.training.learner import Learner
from stn_perception.training.pool import ScenePool, build_pool


def _report_scenes(done: int, total: int) -> None:
    print(
        f"\rscenes {done}/{total}", end="\n" if done >= total else "", file=sys.stderr, flush=True
    )


def draw_scenes(config: TrainingConfig) -> ScenePool:
    """Return the configured scenes, drawing those that the folder does not hold yet."""
    scenes = config.scenes
    return build_pool(
        scenes.folder, config.seed, scenes.count, scenes.settings, scenes.workers, _report_scenes
    )


def _check_resume(checkpoint: Path, config: TrainingConfig) -> None:
    """Refuse a checkpoint that is missing, damaged or of another run.

    Raises:
        ConfigError: one sentence on which of these it is.
    """
    try:
        trained = read_checkpoint(checkpoint).config
    except CheckpointError as error:
        raise ConfigError(f"cannot resume: {error}") from error
    for part in ("seed", "strategy", "crops", "network", "optimization"):
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
    if start.config.network != config.network:
        raise ConfigError(
            f"initial: {config.initial} holds the network {start.config.network}, expected "
            f"{config.network}"
        )
    return start


def _new_learner(config: TrainingConfig, command: str) -> Learner:
    start = _initial(config)
    earlier: list[dict[str, str]] = []
    if start is not None:
        pairs = zip(start.runs, start.commands, strict=True)
        earlier = [{"seen": seen, "command": command} for seen, command in pairs]
    learner = Learner(config.model_dump(mode="json"), command, earlier)
    if start is not None:
        learner.network.load_state_dict(start.weights)
        learner.average.module.load_state_dict(start.weights)
    return learner


def fit(
    config: TrainingConfig,
    pool: ScenePool,
    output: Path,
    resume: Path | None,
    command: str = "",
) -> Path:
    """Train on scenes that are already there; see ``train``."""
    settings = config.optimization
    # OpenCV's own threads would not survive into the loader's forked workers.
    cv2.setNumThreads(0)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    lightning.seed_everything(config.seed, workers=False, verbose=False)
    learner = _new_learner(config, command)
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
    trainer = lightning.Trainer(
        accelerator=config.device,
        devices=1 if config.device == "cpu" else "auto",
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
    trainer.fit(
        learner,
        training_loader(pool, config, lambda: trainer.global_step, trainer.global_rank),
        DataLoader(HeldOutCrops(config), batch_size=None),
        ckpt_path=resume,
    )
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
        _check_resume(resume, config)
    _initial(config)
    output.mkdir(parents=True, exist_ok=True)
    command = f"stn train {config_path} --output {output}"
    return fit(config, draw_scenes(config), output, resume, command)
