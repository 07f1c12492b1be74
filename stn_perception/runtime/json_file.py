# SPDX-License-Identifier: Apache-2.0
"""Results for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stn_perception.runtime.whole_file import write_whole_file


def write_json(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write a result, completely or not at all; its folder is made if need be.

    Args:
        path: None where nobody asked for the file.
        content: JSON values.
    """
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, ensure_ascii=False)
    write_whole_file(path, text + "\n")
