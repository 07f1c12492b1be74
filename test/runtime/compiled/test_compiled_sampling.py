# SPDX-License-Identifier: Apache-2.0
"""What the compiled back end promises beyond what every back end does."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from stn_perception.geometry.homography import homography_from_corners
from stn_perception.geometry.pixels import view_corners
from stn_perception.runtime.backends import InputSample, ViewSample, get_backend
from stn_perception.runtime.frame import Frame

COLORS = {"gray": 1, "rgb": 3, "bgr": 3, "rgba": 4}


def frame_of(color: str, height: int, width: int, seed: int) -> Frame:
    shape = (height, width) if color == "gray" else (height, width, COLORS[color])
    return Frame(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8), color)  # type: ignore[arg-type]


def samples() -> list[tuple[Frame, np.ndarray]]:
    """Frames of every kind and size, seen small and large, whole and cut by the frame's edge."""
    rng = np.random.default_rng(5)
    found = []
    for seed, color in enumerate([*COLORS, *COLORS, *COLORS]):
        frame = frame_of(color, 40 + 31 * seed, 60 + 17 * seed, seed)
        unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + rng.uniform(-0.25, 0.25, (4, 2))
        quad = unit * rng.uniform(0.2, 1.2) * [frame.width, frame.height]
        found.append((frame, homography_from_corners(quad, view_corners(48, 36))))
    return found


@pytest.fixture
def threads():
    """Set torch's number of threads, and put it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_several_frames_of_any_kind_in_one_call_are_each_as_alone() -> None:
    backend = get_backend("compiled")
    views = backend.warp_views([ViewSample(*sample) for sample in samples()], 48, 36)
    for view, (frame, transform) in zip(views, samples(), strict=True):
        np.testing.assert_array_equal(view, backend.warp_view(frame, transform, 48, 36))
    inputs = backend.sample_inputs([InputSample(*sample) for sample in samples()], 48, 36, 3)
    for each, (frame, transform) in zip(inputs, samples(), strict=True):
        alone = backend.sample_inputs([InputSample(frame, transform)], 48, 36, 3)[0]
        torch.testing.assert_close(each, alone, rtol=0, atol=0)


def test_the_number_of_threads_changes_no_bit(threads) -> None:
    backend = get_backend("compiled")
    large = [ViewSample(*sample) for sample in samples()] * 3
    crops = [InputSample(*sample) for sample in samples()] * 3
    threads(1)
    views = backend.warp_views(large, 97, 71)
    inputs = backend.sample_inputs(crops, 97, 71, 1)
    for count in (2, 3, 5):
        threads(count)
        for view, other in zip(views, backend.warp_views(large, 97, 71), strict=True):
            np.testing.assert_array_equal(view, other)
        torch.testing.assert_close(inputs, backend.sample_inputs(crops, 97, 71, 1), rtol=0, atol=0)


def test_no_samples_are_no_views() -> None:
    backend = get_backend("compiled")
    assert backend.warp_views([], 8, 8) == []
    assert backend.sample_inputs([], 8, 6, 3).shape == (0, 3, 6, 8)


def test_a_frame_whose_rows_run_backwards_is_read_like_its_copy() -> None:
    pixels = frame_of("rgb", 30, 40, 1).pixels
    backend = get_backend("compiled")
    for turned in (pixels[::-1], pixels[:, ::-1], pixels[..., ::-1], pixels[::2, ::3]):
        view = backend.warp_view(Frame(turned, "rgb"), np.eye(3), 13, 15)
        copied = Frame(np.ascontiguousarray(turned), "rgb")
        np.testing.assert_array_equal(view, backend.warp_view(copied, np.eye(3), 13, 15))


def test_nothing_beyond_a_frames_last_byte_is_read_or_beyond_a_views_is_written() -> None:
    """Frames and views end where memory that may not be touched begins; a stray byte ends it."""
    program = """
        import ctypes, mmap, sys
        import numpy as np
        from stn_perception.runtime.compiled.rows import view_rows_of

        libc = ctypes.CDLL(None, use_errno=True)
        page = mmap.PAGESIZE

        def guarded(size):
            pages = size // page + 2
            memory = mmap.mmap(-1, pages * page)
            start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
            end = start + (pages - 1) * page
            assert libc.mprotect(ctypes.c_void_p(end), ctypes.c_size_t(page), 0) == 0
            return memory, end - size

        rng = np.random.default_rng(1)
        for channels in (1, 3, 4):
            rows = view_rows_of(channels)
            for height, width in ((1, 1), (2, 2), (5, 7), (9, 31)):
                held, address = guarded(height * width * channels)
                ctypes.memset(address, 77, height * width * channels)
                frames = np.array([[address, width, height, width * channels]])
                kept, out = guarded(11 * 13 * channels)
                for _ in range(200):
                    transform = np.eye(3) * [width / 13, height / 11, 1]
                    spread = np.array([[1, 1, 4], [1, 1, 4], [0.01, 0.01, 0]])
                    transform += rng.normal(0, 0.3, (3, 3)) * spread
                    rows(frames, transform[None], out, (13, 11, bool(rng.integers(2))), 0, 11)
                assert max(ctypes.string_at(out, 11 * 13 * channels)) <= 77
        print("untouched")
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert (result.returncode, result.stdout.strip()) == (0, "untouched"), result.stderr


def test_without_numba_auto_is_opencv_and_compiled_says_what_is_missing() -> None:
    program = """
        import importlib.util, sys
        sys.modules["numba"] = None
        found = importlib.util.find_spec
        importlib.util.find_spec = lambda name: None if name == "numba" else found(name)
        from stn_perception.runtime.backends import get_backend
        print(get_backend("auto").name)
        try:
            get_backend("compiled")
        except ImportError as error:
            print(error.name)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True
    )
    assert result.stdout.split() == ["opencv", "numba"], result.stderr


def test_auto_is_the_compiled_one_where_numba_is_installed() -> None:
    assert get_backend("auto").name == "compiled"
