# SPDX-License-Identifier: Apache-2.0
"""The code keeps its own rules: lint, format, types, and which room may import which."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPED_STRICTLY = ("geometry", "messages", "runtime", "bags", "node")

CHECKS = {
    "ruff finds nothing": ["ruff", "check", "."],
    "ruff would format nothing": ["ruff", "format", "--check", "."],
}


def run_module(*arguments: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


@pytest.mark.parametrize("check", CHECKS)
def test_style(check: str) -> None:
    pytest.importorskip("ruff")
    run_module(*CHECKS[check])


def test_types_hold_strictly() -> None:
    pytest.importorskip("mypy")
    rooms = [argument for room in TYPED_STRICTLY for argument in ("-p", f"stn_perception.{room}")]
    run_module("mypy", "--strict", *rooms)


def test_every_room_imports_only_the_rooms_below_it() -> None:
    pytest.importorskip("importlinter")
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([str(script)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.stdout}\n{result.stderr}"


def python_files() -> list[Path]:
    folders = ("stn_perception", "launch", "test", "tools", "samples", "benchmarks")
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def test_every_file_states_its_licence() -> None:
    without = [
        str(path.relative_to(ROOT))
        for path in [ROOT / "setup.py", *python_files()]
        if "SPDX-License-Identifier: Apache-2.0" not in path.read_text(encoding="utf-8")[:200]
    ]
    assert without == []
