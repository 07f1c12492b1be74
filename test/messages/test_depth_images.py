# SPDX-License-Identifier: Apache-2.0
"""Claims about depth images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from stn_perception.messages import DropReason, MessageError, decode_depth, encode_depth

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_depth_in_millimetres_becomes_metres_with_nan_for_zero(
    big: bool, padding: int, image: Any
) -> None:
    values = np.array([[0, 1000, 1], [65535, 250, 0]], np.uint16)
    depth = decode_depth(image(values, "16UC1", padding, big))
    assert depth.meters.dtype == np.float32
    assert depth.encoding == "16UC1"
    np.testing.assert_allclose(depth.meters, [[np.nan, 1, 0.001], [65.535, 0.25, np.nan]])


def test_depth_in_metres_is_looked_at_in_place_unless_it_needs_mending(image: Any) -> None:
    values = GENERATOR.uniform(0.3, 5, (6, 8)).astype(np.float32)
    values[0, 0] = np.nan
    message = image(values, "32FC1", padding=8)
    depth = decode_depth(message)
    np.testing.assert_array_equal(depth.meters, values)
    assert np.shares_memory(depth.meters, np.frombuffer(message.data, np.uint8))
    values[1, :3] = np.inf, 0, -np.inf
    mended = decode_depth(image(values, "32FC1")).meters
    assert np.isnan(mended[1, :3]).all()
    np.testing.assert_array_equal(mended[2:], values[2:])
    np.testing.assert_array_equal(
        decode_depth(image(values, "32FC1", padding=1, big=True)).meters, mended
    )


@pytest.mark.parametrize("encoding", ["32FC1", "16UC1"])
def test_depth_goes_out_as_it_came(factory: Any, head: Any, encoding: str) -> None:
    meters = np.array([[0.5, np.nan, 1.234], [65.0, 2.0, 0.001]], np.float32)
    message = encode_depth(factory, head, meters, encoding)
    assert message.encoding == encoding
    np.testing.assert_allclose(decode_depth(message).meters, meters, atol=1e-6)


def test_what_does_not_fit_into_millimetres_is_unknown(
    factory: Any, head: Any, image: Any
) -> None:
    meters = np.array([[70.0, -1.0, np.inf, 1.0]], np.float32)
    depth = decode_depth(encode_depth(factory, head, meters, "16UC1"))
    np.testing.assert_allclose(depth.meters, [[np.nan, np.nan, np.nan, 1]])
    with pytest.raises(MessageError) as caught:
        decode_depth(image(np.zeros((2, 2, 3), np.uint8), "rgb8"))
    assert caught.value.reason is DropReason.BAD_ENCODING
    with pytest.raises(ValueError, match="depth encoding"):
        encode_depth(factory, head, meters, "rgb8")
