# SPDX-License-Identifier: Apache-2.0
"""What is kept on disk between runs comes back as it was, to the bit, and is no program."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.bags.evaluation.chunk import FrameOutcome
from stn_perception.bags.evaluation.plain import from_plain, to_plain
from stn_perception.bags.evaluation.predicting import chunk_bytes, chunk_outcomes
from stn_perception.bags.truth import TrueObject
from stn_perception.geometry.boxes import AxisAlignedBox, OrientedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.outcomes import DropReason
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.results import DroppedRegion, Prediction, ViewEstimate

FLOATS = st.floats(allow_nan=False, width=64)


def through_json(value: object) -> object:
    return from_plain(json.loads(json.dumps(to_plain(value))))


@given(st.lists(FLOATS, min_size=9, max_size=9), st.sampled_from(["<f8", "<f4", "|u1", "<i8"]))
def test_arrays_keep_every_bit(values: list[float], kind: str) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        array = np.array([v if abs(v) < 1e9 else 1.0 for v in values]).astype(kind).reshape(3, 3)
    back = through_json(array)
    assert isinstance(back, np.ndarray)
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


@given(FLOATS, FLOATS, st.text(), st.one_of(st.none(), FLOATS))
def test_scalars_and_strings_are_the_same(x: float, y: float, text: str, none: float) -> None:
    value = {"a": (x, text), 3: [y, none, True]}
    assert through_json(value) == {"a": (x, text), 3: (y, none, True)}


def outcome() -> FrameOutcome:
    draw = np.random.default_rng(0)
    region = Region(OrientedBox(1.5, 2.5, 3.0, 4.0, 0.1), "id", "class", 0.5)
    estimate = ViewEstimate(
        0, region, draw.normal(size=(3, 3)), "class", 0.25, draw.normal(size=(8, 8)), 1 / 3
    )
    dropped = DroppedRegion(1, "", DropReason.ZERO_AREA, "it has no area")
    prediction = Prediction(128, 64, 4, {"": (0.1, 0.2)}, (estimate,), (dropped,))
    rejected = RejectedRegion(1, "", DropReason.ZERO_AREA, "no area")
    return FrameOutcome(
        number=3,
        stamp_ns=1767225600000000001,
        frame_id="optical",
        width=640,
        height=480,
        color="bgr",
        regions=(region, rejected, Region(AxisAlignedBox(1.0, 2.0, 3.0, 4.0))),
        intrinsics=PinholeIntrinsics(np.eye(3), width=640, height=480, frame_id="optical"),
        truths=(TrueObject("t", "c", np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]), 2),),
        sharpness={0: math.pi},
        predictions={"planar": prediction},
        equivariance={"planar": {0: 0.01}},
    )


def test_an_outcome_comes_back_whole() -> None:
    first = outcome()
    (back,) = chunk_outcomes(chunk_bytes([first]))
    assert to_plain(back) == to_plain(first)
    assert back.predictions["planar"].dropped[0].reason is DropReason.ZERO_AREA
    np.testing.assert_array_equal(
        back.predictions["planar"].estimates[0].corner_covariance,
        first.predictions["planar"].estimates[0].corner_covariance,
    )
    assert chunk_bytes([back]) == chunk_bytes([first])


@pytest.mark.parametrize("bad", [b"", b"nothing", chunk_bytes([])[:-4]])
def test_what_is_not_whole_is_refused(bad: bytes) -> None:
    with pytest.raises(ValueError, match="no finished chunk"):
        chunk_outcomes(bad)


def test_other_kinds_are_neither_written_nor_read() -> None:
    with pytest.raises(TypeError, match="a object cannot be written"):
        to_plain(object())
    with pytest.raises(ValueError, match="'Popen' is no kind of result"):
        from_plain({"!": "Popen", "args": ["true"]})
