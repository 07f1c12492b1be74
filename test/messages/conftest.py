# SPDX-License-Identifier: Apache-2.0
"""Messages of every kind that the conversions are meant for."""

from __future__ import annotations

import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from stn_perception.messages import NamespaceFactory, header


class RosbagsFactory:
    """Strict dataclasses: a missing or unknown field is an error."""

    def __init__(self) -> None:
        stores = pytest.importorskip("rosbags.typesys")
        self.types = stores.get_typestore(stores.Stores.ROS2_KILTED).types

    def make(self, type_name: str, **fields: Any) -> Any:
        if type_name.startswith(("vision_msgs", "tf2_msgs")) and type_name not in self.types:
            return SimpleNamespace(_type_name=type_name, **fields)
        return self.types[type_name](**fields)

    def octets(self, values: np.ndarray) -> np.ndarray:
        return values

    def floats64(self, values: Any) -> np.ndarray:
        return np.array(values, dtype=np.float64)


class RclpyFactory:
    """The generated classes, which assert types and lengths of what they are given."""

    def __init__(self) -> None:
        pytest.importorskip("sensor_msgs.msg")

    def make(self, type_name: str, **fields: Any) -> Any:
        package, _, name = type_name.split("/")
        return getattr(pytest.importorskip(f"{package}.msg"), name)(**fields)

    def octets(self, values: np.ndarray) -> array.array[int]:
        return array.array("B", values.tobytes())

    def floats64(self, values: Any) -> list[float]:
        return [float(value) for value in values]


@pytest.fixture(params=["namespace", "rosbags", "rclpy"])
def factory(request: pytest.FixtureRequest) -> Any:
    kinds = {"namespace": NamespaceFactory, "rosbags": RosbagsFactory, "rclpy": RclpyFactory}
    return kinds[request.param]()


@pytest.fixture
def head(factory: Any) -> Any:
    return header(factory, 1_700_000_000_123_456_789, "camera_optical")


def image_message(
    values: NDArray[Any], encoding: str, padding: int = 0, big: bool = False
) -> SimpleNamespace:
    """A message of H×W[×C] values whose rows carry ``padding`` bytes more, filled with 0xAB."""
    order = values.astype(values.dtype.newbyteorder(">" if big else "<"))
    rows = order.reshape(len(values), -1).view(np.uint8)
    padded = np.full((len(rows), rows.shape[1] + padding), 0xAB, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return SimpleNamespace(
        height=values.shape[0],
        width=values.shape[1],
        encoding=encoding,
        is_bigendian=int(big),
        step=padded.shape[1],
        data=array.array("B", padded.tobytes()),
    )


@pytest.fixture(scope="session")
def image() -> Callable[..., SimpleNamespace]:
    return image_message


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """48×64 rgb whose channels differ and change slowly."""
    y, x = np.mgrid[:48, :64] / np.array([48, 64])[:, None, None]
    channels = [60 + 150 * x, 200 - 140 * y, 90 + 60 * x * y]
    return np.asarray(np.stack(channels, -1).round(), dtype=np.uint8)
