# SPDX-License-Identifier: Apache-2.0
"""Lightning's trainer, as configured: devices, checkpoints, logs."""

from __future__ import annotations

from pathlib import Path

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint, TQDMProgressBar
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from stn_perception.training.checkpoint_io import WholeCheckpointIO
from stn_perception.training.config import ConfigError, TrainingConfig

CHECKPOINTS = "checkpoints"


def last_checkpoint(output: Path) -> Path:
    """Return where the newest checkpoint of a run is, whether or not it is there."""
    return output / CHECKPOINTS / "last.ckpt"


def trainer_for(config: TrainingConfig, output: Path) -> lightning.Trainer:
    """Return Lightning's trainer as configured.

    Raises:
        ConfigError: this machine lacks the devices, or Lightning does not know the back end.
    """
    settings = config.optimization
    checkpoints = ModelCheckpoint(
        dirpath=output / CHECKPOINTS,
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
            plugins=[WholeCheckpointIO()],
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
