# SPDX-License-Identifier: Apache-2.0
"""Results for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stn_perception.runtime.whole_file import write_whole_file


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write a result for machines, completely or not at all."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, json.dumps(content, indent=2) + "\n")
