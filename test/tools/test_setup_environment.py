# SPDX-License-Identifier: Apache-2.0
"""Setting up survives being killed at any moment and being started from another environment."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 120.0


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    path = ROOT / "tools" / "setup_environment.py"
    specification = importlib.util.spec_from_file_location("setup_environment", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def kill_during_creation(environment: Path, setup: ModuleType) -> None:
    """SIGKILL to `python -m venv` and what it started, once there is an interpreter."""
    process = subprocess.Popen(
        [sys.executable, "-m", "venv", str(environment)],
        env=setup.child_environment(),
        start_new_session=True,
    )
    deadline = time.monotonic() + TIMEOUT_S
    while not (environment / "bin" / "python").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(TIMEOUT_S) == -signal.SIGKILL


@pytest.mark.slow
def test_a_creation_that_was_killed_starts_anew(setup: ModuleType, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    kill_during_creation(environment, setup)
    assert not setup.has_pip(environment)
    setup.create_environment(environment)
    assert setup.has_pip(environment)

    # What is complete stays as it is.
    kept = environment / "kept"
    kept.touch()
    setup.create_environment(environment)
    assert kept.exists()

    # A pip that was killed while its files were written counts as missing.
    next(environment.glob("lib/python*/site-packages/pip-*.dist-info/RECORD")).unlink()
    setup.create_environment(environment)
    assert setup.has_pip(environment) and not kept.exists()


def test_an_environment_in_use_is_never_removed(setup: ModuleType, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    kill_during_creation(environment, setup)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "precious-1.0.dist-info").mkdir()
    with pytest.raises(setup.SetupError, match="ensurepip"):
        setup.create_environment(environment)
    assert (packages / "precious-1.0.dist-info").is_dir()


def test_programs_of_the_new_environment_do_not_inherit_this_pythons_libraries(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = os.path.join(sys.prefix, "lib")
    monkeypatch.setenv("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1")
    monkeypatch.setenv("LD_LIBRARY_PATH", os.pathsep.join([own, "/opt/other/lib"]))
    monkeypatch.setenv("PYTHONPATH", "/opt/other/python")
    lines = setup.run(["env"], "no env").splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in seen and "PYTHONPATH" not in seen
    assert seen["LD_LIBRARY_PATH"] == "/opt/other/lib"


def test_make_does_not_hand_on_another_pythons_libraries() -> None:
    variables = {"_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1", "LD_LIBRARY_PATH": "/opt/other/lib"}
    printing = "print-variables: ; @env\n"
    result = subprocess.run(
        ["make", "--no-print-directory", "-f", "Makefile", "-f", "-", "print-variables"],
        cwd=ROOT,
        env={**os.environ, **variables},
        input=printing,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.partition("=")[0] for line in result.stdout.splitlines()}
    assert "PATH" in names and not names & set(variables)
