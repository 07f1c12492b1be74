# SPDX-License-Identifier: Apache-2.0
"""The package builds, installs and tests the way a ROS workspace does it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A room whose tests need neither a middleware nor much time: enough to see colcon run tests.
COLCON_TESTS = ["test/messages"]


def colcon(verb: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = ["--base-paths", str(ROOT), "--build-base", str(folder / "build")]
    installed = ["--install-base", str(folder / "install")]
    command = ["colcon", "--log-base", str(folder / "log"), verb, *places, *installed]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    # colcon may be another Python's; with this mark it would not look for its own ROS libraries.
    env.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
    return subprocess.run(
        [*command, "--packages-select", "stn_perception", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("colcon_core")
    folder = tmp_path_factory.mktemp("workspace")
    built = colcon("build", folder)
    assert built.returncode == 0, f"{built.stdout}\n{built.stderr}"
    return folder


def test_colcon_installs_what_ros2_run_and_ros2_launch_look_for(workspace: Path) -> None:
    prefix = workspace / "install" / "stn_perception"
    executables = {path.name for path in (prefix / "lib" / "stn_perception").iterdir()}
    assert {"canonicalizer_node", "bag_player_node", "stn"} <= executables
    share = prefix / "share" / "stn_perception"
    for expected in (
        "package.xml",
        "launch/canonicalizer.launch.py",
        "launch/replay.launch.py",
        "launch/demo.launch.py",
        "config/canonicalizer.yaml",
        "config/fastdds.xml",
        "models/planar/planar.pt",
    ):
        assert (share / expected).is_file(), expected
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    assert (index / "stn_perception").is_file()


@pytest.mark.slow
def test_colcon_test_runs_the_packages_tests(workspace: Path) -> None:
    if os.environ.get("STN_INSIDE_COLCON"):
        pytest.skip("this is the run that colcon started")
    os.environ["STN_INSIDE_COLCON"] = "1"
    try:
        tested = colcon("test", workspace, "--pytest-args", *COLCON_TESTS, "-q")
    finally:
        del os.environ["STN_INSIDE_COLCON"]
    assert tested.returncode == 0, f"{tested.stdout}\n{tested.stderr}"
    results = list((workspace / "build").rglob("pytest.xml"))
    assert results, "colcon test ran no pytest"
    assert 'failures="0"' in results[0].read_text() and 'tests="0"' not in results[0].read_text()


def imported_packages(room: str) -> set[str]:
    names: set[str] = set()
    for path in (ROOT / "stn_perception" / room).rglob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(statement, ast.Import):
                names |= {alias.name.split(".")[0] for alias in statement.names}
            elif isinstance(statement, ast.ImportFrom) and statement.module:
                names.add(statement.module.split(".")[0])
    return names


def test_package_xml_names_every_ros_package_that_the_node_imports() -> None:
    package_format = pytest.importorskip("catkin_pkg.package")
    package = package_format.parse_package(str(ROOT / "package.xml"))
    assert package.package_format == 3
    declared = {dependency.name for dependency in package.exec_depends}
    ros = {name for name in imported_packages("node") if name.endswith(("_msgs", "_srvs"))}
    ros |= {"rclpy"}
    # ROS wheels' own interface helper, part of every rclpy install.
    assert ros - declared - {"builtin_interfaces"} == set()
