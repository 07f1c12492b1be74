# SPDX-License-Identifier: Apache-2.0
"""Encodings beyond the package's own go through cv_bridge where there is one."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace

import numpy as np
import pytest

from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.node import foreign_encodings
from stn_perception.node.foreign_encodings import frame_through_cv_bridge
from stn_perception.runtime.intake.frame_job import FrameJob, frame_of
from stn_perception.runtime.parameters.settings import InputSettings

HAS_CV_BRIDGE = importlib.util.find_spec("cv_bridge") is not None


def image(encoding: str, channels: int) -> SimpleNamespace:
    pixels = np.arange(4 * 6 * channels, dtype=np.uint8)
    stamp = SimpleNamespace(sec=7, nanosec=9)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id="optical"),
        width=6,
        height=4,
        encoding=encoding,
        is_bigendian=0,
        step=6 * channels,
        data=pixels,
    )


def frame(message: SimpleNamespace) -> object:
    return frame_of(
        FrameJob("front", message, None, None, 0.0), InputSettings(), frame_through_cv_bridge
    )


@pytest.mark.skipif(HAS_CV_BRIDGE, reason="cv_bridge is installed")
def test_without_cv_bridge_the_own_refusal_stands() -> None:
    with pytest.raises(MessageError, match="8SC7") as refused:
        frame(image("8SC7", 7))
    assert refused.value.reason is DropReason.BAD_ENCODING


@pytest.mark.skipif(not HAS_CV_BRIDGE, reason="cv_bridge is not installed")
def test_cv_bridge_refuses_in_a_sentence_what_nobody_knows() -> None:
    with pytest.raises(MessageError, match="cv_bridge cannot convert it either"):
        frame(image("8SC7", 7))


class Doubling:
    """Has cv_bridge's interface; what it returns is told apart from any conversion of ours."""

    def imgmsg_to_cv2(self, message: SimpleNamespace, desired_encoding: str) -> np.ndarray:
        assert desired_encoding == "bgr8"
        if message.encoding == "broken":
            raise TypeError("Unrecognized image encoding [broken]")
        return np.full((message.height, message.width, 3), 77, np.uint8)


def test_what_cv_bridge_returns_becomes_the_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_encodings, "_bridge", Doubling)
    made = frame(image("vendor_special", 3))
    assert (made.color, made.stamp_ns, made.frame_id) == ("bgr", 7_000_000_009, "optical")
    assert (made.pixels == 77).all()
    with pytest.raises(MessageError, match="Unrecognized image encoding"):
        frame(image("broken", 3))
