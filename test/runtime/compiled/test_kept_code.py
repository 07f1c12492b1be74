# SPDX-License-Identifier: Apache-2.0
"""Machine code that is kept on disk belongs to the sources that it was made from."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stn_perception
from stn_perception.runtime.compiled import jit

PACKAGE = Path(stn_perception.__file__).parent


def test_every_file_with_compiled_functions_counts_in_the_version() -> None:
    counted = {*(PACKAGE / "runtime/compiled").glob("*.py")}
    counted |= {PACKAGE / "runtime" / name for name in jit._COMPILED_ELSEWHERE}
    users = {
        file
        for file in PACKAGE.rglob("*.py")
        if re.search(r"^\s*@(compiled|kept_on_disk)$", file.read_text(), re.MULTILINE)
    }
    assert users and users <= counted


@pytest.mark.slow
def test_code_kept_from_other_sources_is_not_used(tmp_path: Path) -> None:
    """A change in a function deep inside shows, though its callers' files stay as they were."""
    shutil.copytree(
        PACKAGE, tmp_path / "stn_perception", ignore=shutil.ignore_patterns("__pycache__")
    )
    program = (
        "import numpy as np\n"
        "from stn_perception.runtime.backends import get_backend\n"
        "from stn_perception.runtime.frame import Frame\n"
        "frame = Frame(np.full((64, 64), 100, dtype=np.uint8), 'gray')\n"
        "print(get_backend('compiled').warp_view(frame, np.diag([4.0, 4.0, 1.0]), 8, 8)[4, 4])\n"
    )

    def level() -> int:
        result = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stderr
        return int(result.stdout)

    assert level() == 100
    file = tmp_path / "stn_perception/runtime/compiled/averaging.py"
    changed = file.read_text().replace("np.float32(255.0), means", "np.float32(42.0), means")
    assert changed != file.read_text()
    file.write_text(changed)
    assert level() == 42
