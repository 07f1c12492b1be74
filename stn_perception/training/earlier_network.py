# SPDX-License-Identifier: Apache-2.0
"""The network of an earlier run, whose finds a later one learns to go on from.

A network that is applied again sees crops along its own estimates. Their errors are no random
ones: what the first crop showed is mended, and what it did not tell is left. A network that
learned from random errors alone thinks too well of such crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stn_perception.stn.transforms import corners_from_theta
from stn_perception.training.checkpoints import CheckpointError, read_checkpoint
from stn_perception.training.config import ConfigError

Network = TypeVar("Network", bound=nn.Module)


def earlier_network(path: Path | None, kind: type[Network]) -> Network:
    """Read the network that finds estimates, in evaluation mode.

    Args:
        path: its checkpoint, as configured in ``found_by``.
        kind: what it has to be.

    Raises:
        ConfigError: there is no such checkpoint, or it holds another kind of network.
    """
    if path is None:
        raise ConfigError(f"found_by is missing, expected the checkpoint of a {kind.__name__}")
    try:
        network = read_checkpoint(path).network()
    except CheckpointError as error:
        raise ConfigError(f"found_by: {error}") from error
    if not isinstance(network, kind):
        raise ConfigError(
            f"found_by: {path} holds a {type(network).__name__}, expected a {kind.__name__}"
        )
    return network


def found_corners(network: nn.Module, crops: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the corners of the views that a network finds, N×4×2 in normalised crop axes.

    Args:
        network: in evaluation mode; returns ``theta`` N×3×3, view to crop.
        crops: N of S×S×C in [0, 1].
    """
    stacked = np.ascontiguousarray(np.stack(crops).transpose(0, 3, 1, 2), dtype=np.float32)
    with torch.inference_mode():
        theta = network(torch.from_numpy(stacked))["theta"].double()
    return np.asarray(corners_from_theta(theta).numpy(), dtype=np.float64)
