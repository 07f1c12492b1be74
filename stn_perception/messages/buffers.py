# SPDX-License-Identifier: Apache-2.0
"""The bytes of a ``uint8[]`` field as an array, without copying."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stn_perception.messages.outcomes import DropReason, MessageError


def bytes_as_array(data: Any) -> NDArray[np.uint8]:
    """A flat uint8 array over bytes, memoryview, array.array or an ndarray.

    The memory is the message's own where the object has a buffer; a list or tuple of numbers is
    copied. Raises MessageError for anything else.
    """
    if isinstance(data, list | tuple):
        return np.array(data, dtype=np.uint8)
    try:
        return np.frombuffer(data, dtype=np.uint8)
    except (TypeError, ValueError, BufferError) as error:
        if isinstance(data, np.ndarray):
            return np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        raise MessageError(
            DropReason.UNDECODABLE,
            f"the data field is a {type(data).__name__}, expected a buffer of bytes",
        ) from error
