# SPDX-License-Identifier: Apache-2.0
"""Frames on their way to the device: through pinned memory, each camera on a stream of its own.

A frame is copied once into a pinned buffer (``stage``, the host's work) and from there by the
copy engine (``upload``). Buffers are kept and used again, so that after the first frames nothing
is allocated; a buffer is written again only when the last kernel that read it is done, which the
streams wait for and the host does not. Without a CUDA device both buffers are one, and the same
code runs for the interpreter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from stn_perception.messages.encodings import ColorOrder
from stn_perception.runtime.cuda.streams import new_event, new_stream
from stn_perception.runtime.frame import Frame

DevicePixels = tuple[torch.Tensor, ColorOrder]


class _Slot:
    """A pinned buffer and its twin on the device."""

    def __init__(self, size: int, device: torch.device) -> None:
        is_cuda = device.type == "cuda"
        self.host = torch.empty(size, dtype=torch.uint8, pin_memory=is_cuda)
        self.device = torch.empty(size, dtype=torch.uint8, device=device) if is_cuda else self.host
        self.copied = new_event(device)
        self.read = new_event(device)
        self.frame: Frame | None = None
        self.is_uploaded = False
        self.last_use = 0

    def pixels(self, buffer: torch.Tensor) -> torch.Tensor:
        """The frame's shape over one of the buffers, rows without padding."""
        assert self.frame is not None
        shape = self.frame.pixels.shape
        return buffer[: int(np.prod(shape))].view(shape)


class FrameStore:
    """Keeps the frames that are being worked on where the kernels can read them.

    Args:
        device: Where the kernels run.
        stream: The stream that they run on; None for the current one, and without CUDA.
    """

    def __init__(self, device: torch.device, stream: torch.cuda.Stream | None = None) -> None:
        self._device = device
        self._stream = stream
        self._slots: list[_Slot] = []
        self._copy_streams: dict[str, torch.cuda.Stream] = {}
        self._clock = 0

    @property
    def buffers(self) -> int:
        """How many frames there is room for; it settles at what one call needs."""
        return len(self._slots)

    def stage(self, frames: Sequence[Frame]) -> None:
        """Copy frames into pinned memory, those that are there already excepted."""
        self._clock += 1
        for frame in frames:
            slot = self._slot_of(frame)
            if slot is None:
                slot = self._free_slot(frame.pixels.size)
                if slot.copied is not None:
                    slot.copied.synchronize()  # the copy engine has left the pinned buffer
                slot.frame, slot.is_uploaded = frame, False
                np.copyto(slot.pixels(slot.host).numpy(), frame.pixels)
            slot.last_use = self._clock

    def upload(self, frames: Sequence[Frame], again: bool = False) -> list[DevicePixels]:
        """Start the copies of staged frames; kernels launched afterwards wait for them.

        Args:
            frames: Frames that ``stage`` was called with last.
            again: Copy also what is on the device already (to measure it).

        Returns:
            Every frame's pixels on the device, to be used until the next ``stage``.
        """
        result: list[DevicePixels] = []
        for frame in frames:
            slot = self._slot_of(frame)
            if slot is None:
                raise ValueError(f"a frame of {frame.frame_id!r} was not staged before its upload")
            pixels = slot.pixels(slot.device)
            if slot.copied is not None and (again or not slot.is_uploaded):
                assert slot.read is not None
                copying = self._copy_stream(frame.frame_id)
                copying.wait_event(slot.read)  # kernels have read what lay there before
                with torch.cuda.stream(copying):
                    pixels.copy_(slot.pixels(slot.host), non_blocking=True)
                    slot.copied.record()
            if slot.copied is not None:
                self._kernels().wait_event(slot.copied)
            slot.is_uploaded = True
            result.append((pixels, frame.color))
        return result

    def done(self, frames: Sequence[Frame]) -> None:
        """Note that the kernels launched so far are all that read these frames for now."""
        for frame in frames:
            slot = self._slot_of(frame)
            if slot is not None and slot.read is not None:
                slot.read.record(self._kernels())

    def _slot_of(self, frame: Frame) -> _Slot | None:
        return next((slot for slot in self._slots if slot.frame is frame), None)

    def _free_slot(self, size: int) -> _Slot:
        """The buffer used longest ago that is large enough and not of this call, or a new one."""
        idle = [slot for slot in self._slots if slot.last_use < self._clock]
        fitting = [slot for slot in idle if len(slot.host) >= size]
        if fitting:
            return min(fitting, key=lambda slot: slot.last_use)
        slot = _Slot(size, self._device)
        self._slots.append(slot)
        return slot

    def _kernels(self) -> torch.cuda.Stream:
        return self._stream or torch.cuda.current_stream(self._device)

    def _copy_stream(self, camera: str) -> torch.cuda.Stream:
        if camera not in self._copy_streams:
            stream = new_stream(self._device)
            assert stream is not None
            self._copy_streams[camera] = stream
        return self._copy_streams[camera]
