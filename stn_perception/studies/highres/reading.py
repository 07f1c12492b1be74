# SPDX-License-Identifier: Apache-2.0
"""From the pixels of a 4K frame to the digit on its sign: what a robot would run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stn_perception.studies.highres.backdrops import Gray, shrunk
from stn_perception.studies.highres.looking import LOOK_FACTOR, WINDOW_PX, LookingReader
from stn_perception.studies.highres.whole import WholeReader
from stn_perception.studies.highres.windows import in_unit, window_corner
from stn_perception.studies.learning.lesson import device_of


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read.

    Attributes:
        digit: 0 to 9.
        center_px: (x, y) of the sign in frame pixels.
        view: What was looked at, 1×1×32×32; None where that was the whole frame.
    """

    digit: int
    center_px: tuple[float, float]
    view: Tensor | None


def reader(network: nn.Module, factor: int) -> Callable[[Gray], Reading]:
    """Return what reads frames with a network.

    Args:
        network: In evaluation mode.
        factor: By which a whole network's frames are shrunk.
    """
    if isinstance(network, LookingReader):
        looking = network
        return lambda frame: read_looking(looking, frame)
    assert isinstance(network, WholeReader)
    whole = network
    return lambda frame: read_whole(whole, frame, factor)


def read_looking(network: LookingReader, frame: Gray) -> Reading:
    """Find the sign in the shrunk frame and read one view of the frame itself.

    Args:
        network: In evaluation mode.
        frame: uint8 2160×3840.
    """
    device = device_of(network)
    poses, _ = network.finder(in_unit([shrunk(frame, LOOK_FACTOR)]).to(device))
    x, y = poses[0, :2].tolist()
    left, top = window_corner((x, y), WINDOW_PX)
    window = in_unit([frame[top : top + WINDOW_PX, left : left + WINDOW_PX]])
    corner = torch.tensor([[left, top]], dtype=torch.float32)
    view = network.view(window.to(device), corner.to(device), poses)
    return Reading(int(network.host(view).argmax()), (x, y), view.cpu())


def read_whole(network: WholeReader, frame: Gray, factor: int) -> Reading:
    """Read the frame, shrunk by a factor, in its most certain cell.

    Args:
        network: In evaluation mode.
        frame: uint8 2160×3840.
        factor: That the network was trained for.
    """
    digits, cells = network.read(in_unit([shrunk(frame, factor)]).to(device_of(network)))
    x, y = ((cells[0] * network.cell_px + 0.5) * factor - 0.5).tolist()
    return Reading(int(digits[0]), (x, y), None)
