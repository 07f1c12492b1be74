# SPDX-License-Identifier: Apache-2.0
"""What a start of the node loads, what it waits for and what it says of itself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from stn_perception.node.startup import Startup, process_age_s
from stn_perception.node.transport import announcement_period_s

ROOT = Path(__file__).parents[2]
BEFORE_CONFIGURE = "import stn_perception.node.process"
ALL = (
    "import stn_perception.node.process, stn_perception.node.session, "
    "stn_perception.node.model_loading"
)
PROFILE = """<dds xmlns="http://www.eprosima.com"><profiles><participant><rtps><builtin>
<discovery_config><leaseAnnouncement>{}</leaseAnnouncement></discovery_config>
</builtin></rtps></participant></profiles></dds>"""


def loaded_by(statement: str) -> set[str]:
    """Top-level packages, and rooms of our own, that a statement loads in a fresh Python."""
    code = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    names = run.stdout.split()
    own = {".".join(name.split(".")[:2]) for name in names if name.startswith("stn_perception.")}
    return {name.partition(".")[0] for name in names} | own


@pytest.mark.ros
def test_the_graph_is_joined_before_the_heavy_libraries_load() -> None:
    assert not loaded_by(BEFORE_CONFIGURE) & {"torch", "numba", "llvmlite", "scipy"}


@pytest.mark.ros
def test_what_the_node_does_not_need_is_not_loaded() -> None:
    loaded = loaded_by(ALL)
    assert "torch" in loaded
    needless = {"lightning", "kornia", "plotly", "dask", "rosbags", "matplotlib", "pandas"}
    needless |= {"pybullet", "skimage", "torchvision", "PIL", "IPython", "tensorboard"}
    rooms = {f"stn_perception.{room}" for room in ("bags", "training", "benchmarks", "cli")}
    assert not loaded & (needless | rooms)


@pytest.mark.parametrize(
    ("duration", "expected_s"),
    [
        ("<sec>1</sec>", 1.0),
        ("<sec>2</sec><nanosec>500000000</nanosec>", 2.5),
        ("<sec>DURATION_INFINITY</sec>", 3.0),
    ],
)
def test_the_wait_for_others_follows_the_profile(
    tmp_path: Path, duration: str, expected_s: float
) -> None:
    profile = tmp_path / "profile.xml"
    profile.write_text(PROFILE.format(duration))
    environment = {"FASTDDS_DEFAULT_PROFILES_FILE": str(profile)}
    assert announcement_period_s(environment) == pytest.approx(expected_s)


def test_without_a_readable_profile_the_middlewares_own_period_holds(tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<dds>")
    for file in (broken, tmp_path / "nowhere.xml"):
        assert announcement_period_s({"FASTDDS_DEFAULT_PROFILES_FILE": str(file)}) == 3.0
    assert announcement_period_s({}) == 3.0


def test_a_start_names_its_steps_once() -> None:
    startup = Startup()
    time.sleep(0.02)
    startup.mark("one")
    startup.mark("two")
    startup.mark("one")
    sentence = startup.sentence()
    assert sentence.count("one") == 1 and sentence.index("one") < sentence.index("two")
    assert "one 0.00 s" not in sentence


def test_the_age_of_a_process_is_that_of_this_one() -> None:
    assert process_age_s() > 0
