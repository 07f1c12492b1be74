# SPDX-License-Identifier: Apache-2.0
"""Where downloads and sound copies of damaged recordings go."""

from __future__ import annotations

import os
from pathlib import Path


def default_cache() -> Path:
    """``stn_perception/bags`` in the user's cache folder (XDG base directories)."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "stn_perception" / "bags"
