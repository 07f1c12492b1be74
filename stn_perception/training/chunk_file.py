# SPDX-License-Identifier: Apache-2.0
"""Files of drawn scenes; one that is there is whole."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stn_perception.runtime.whole_file import write_whole_file


def write_chunk(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays by name as ``.npz``, so that a reader finds all of them or no file.

    Raises:
        OSError: it cannot be written.
    """
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_whole_file(path, content.getvalue())
