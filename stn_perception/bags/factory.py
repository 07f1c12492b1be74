# SPDX-License-Identifier: Apache-2.0
"""Make ROS messages without ROS, for writing results back into a bag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.typestore import make_typestore


class RosbagsFactory:
    """The message factory of ``messages`` for rosbags' message classes.

    Args:
        typestore: Share a reader's or writer's; a fresh one when left out.
    """

    def __init__(self, typestore: Any = None) -> None:
        self.typestore = typestore if typestore is not None else make_typestore()

    def make(self, type_name: str, **fields: Any) -> Any:
        """Return a message of ``type_name``.

        Raises:
            KeyError: The type is not known.
            TypeError: A field is missing or not one of the type's.
        """
        return self.typestore.types[type_name](**fields)

    def octets(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return bytes for a ``uint8[]`` field: the array itself, flat."""
        return np.ascontiguousarray(array, dtype=np.uint8).reshape(-1)

    def floats64(self, values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return numbers for a ``float64[]`` or ``float64[N]`` field."""
        return np.asarray(values, dtype=np.float64).reshape(-1)
