# SPDX-License-Identifier: Apache-2.0
"""Frames find their way to the kernels, and buffers are used again."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from stn_perception.runtime.cuda.frame_store import FrameStore
from stn_perception.runtime.cuda.parameters import Parameters
from stn_perception.runtime.frame import Frame


def frame(level: int, width: int = 12, camera: str = "front") -> Frame:
    pixels = np.full((8, width + 5, 3), level, dtype=np.uint8)
    return Frame(pixels[:, :width], "bgr", frame_id=camera)


def test_frames_of_one_call_never_share_a_buffer(device: torch.device) -> None:
    store = FrameStore(device)
    frames = [frame(level) for level in (10, 20, 30)]
    store.stage(frames)
    uploaded = store.upload(frames)
    assert [int(pixels.min()) for pixels, _ in uploaded] == [10, 20, 30]
    assert [int(pixels.max()) for pixels, _ in uploaded] == [10, 20, 30]
    assert {tuple(pixels.shape) for pixels, _ in uploaded} == {(8, 12, 3)}
    assert all(pixels.is_contiguous() for pixels, _ in uploaded)


def test_buffers_settle_and_small_frames_fit_into_large_ones(device: torch.device) -> None:
    store = FrameStore(device)
    for number in range(6):
        pair = [frame(number, 12, "front"), frame(100 + number, 9, "rear")]
        store.stage(pair)
        pixels = [int(pixels.max()) for pixels, _ in store.upload(pair)]
        store.done(pair)
        assert pixels == [number, 100 + number]
    assert store.buffers == 2


def test_a_frame_that_is_there_is_not_copied_again(device: torch.device) -> None:
    store = FrameStore(device)
    pixels = np.full((4, 4), 7, dtype=np.uint8)
    known = Frame(pixels, "gray")
    store.stage([known])
    first = store.upload([known])[0][0]
    pixels[:] = 9  # nobody may write to a frame; it shows that nothing is read again
    store.stage([known])
    again = store.upload([known])[0][0]
    assert again.data_ptr() == first.data_ptr()
    assert int(again.max()) == 7


def test_a_frame_that_was_not_staged_is_refused(device: torch.device) -> None:
    with pytest.raises(ValueError, match="'front' was not staged"):
        FrameStore(device).upload([frame(1)])


def test_parameters_arrive_and_views_that_are_not_given_show_nothing(
    device: torch.device,
) -> None:
    parameters = Parameters(2, 3, device)
    parameters.write([range(6)], [0, 0], np.full((2, 3, 3), 2.5), [5, 6, 7])
    parameters.write([range(6)], [1], np.full((1, 3, 3), 1.5), [8, 9, 10])
    parameters.send()
    parameters.sent()
    assert parameters.frames[0].tolist() == list(range(6))
    assert parameters.frame_of_view.tolist() == [1, 0, 0]
    assert parameters.matrices[:, 1, 1].tolist() == [1.5, 0.0, 0.0]
    assert parameters.offsets.tolist() == [8, 9, 10]
    with pytest.raises(ValueError, match="4 views of 1 frames were given, expected at most 3 of"):
        parameters.write([range(6)], [0] * 4, np.zeros((4, 3, 3)))
