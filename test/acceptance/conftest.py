# SPDX-License-Identifier: Apache-2.0
"""Run the sample through real processes once and share what an outsider saw of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "duckiebot"
SLOTS = 6
VIEW_PX = 256
MOTION_OFFSET_S = 4.8


@dataclass(frozen=True)
class Seen:
    """What the independent consumer kept of one replay."""

    folder: Path
    report: dict
    transforms: dict

    def stamps(self, kind: str) -> list[int]:
        return sorted(int(path.stem.split("-")[1]) for path in self.folder.glob(f"{kind}-*"))

    def pixels(self, kind: str, stamp: int) -> np.ndarray:
        return np.load(self.folder / f"{kind}-{stamp}.npy")

    def info(self, slot: int, stamp: int) -> dict:
        return json.loads((self.folder / f"info{slot}-{stamp}.json").read_text())

    def views(self) -> list[tuple[int, int]]:
        """Slot and stamp of every view that came with its camera_info."""
        return [
            (slot, stamp)
            for slot in range(SLOTS)
            for stamp in self.stamps(f"view{slot}")
            if (self.folder / f"info{slot}-{stamp}.json").exists()
        ]


def environment(domain: int) -> dict[str, str]:
    return {
        **os.environ,
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }


@contextmanager
def process(command: list[str], env: dict[str, str], log: Path) -> Iterator[subprocess.Popen]:
    """A process that is gone afterwards, asked first and killed if need be."""
    with log.open("w") as output:
        started = subprocess.Popen(command, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGINT)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def wait_for(path: Path, running: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert running.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def replay_past_consumer(folder: Path, given: dict[str, str], *player: str) -> Seen:
    """Node, consumer and player as processes of their own; ends when the recording does."""
    env = environment(101 + os.getpid() % 60)
    python = sys.executable
    node = [python, "-m", "stn_perception.node.main", "--ros-args"]
    node += ["--params-file", str(SAMPLE / "params.yaml")]
    parameters = {
        "view_width": VIEW_PX,
        "view_height": VIEW_PX,
        "max_objects": SLOTS,
        "antialias": "false",
        # The network's sums depend in their last bits on how they are split over threads.
        "num_threads": "1",
        **given,
    }
    for name, value in parameters.items():
        node += ["-p", f"{name}:={value}"]
    seen = folder / "seen"
    seen.mkdir()
    ready, report = folder / "ready", folder / "report.json"
    script = str(Path(__file__).with_name("consumer.py"))
    consumer = [python, script, str(seen), str(SLOTS), str(ready)]
    play = [python, "-m", "stn_perception.node.player", str(SAMPLE), "--no-clock"]
    play += ["--wait-for-subscribers", "2", "--wait-timeout", "60", "--json", str(report)]
    with process(node, env, folder / "node.log") as running_node:
        with process(consumer, env, folder / "consumer.log") as running_consumer:
            wait_for(ready, running_consumer, folder / "consumer.log")
            played = subprocess.run(
                [*play, *player], env=env, capture_output=True, text=True, check=False, timeout=240
            )
            log = f"{played.stdout}{played.stderr}{(folder / 'node.log').read_text()}"
            assert played.returncode == 0, log
            settle(seen)
        assert running_node.poll() is None, (folder / "node.log").read_text()
    assert "Traceback" not in (folder / "node.log").read_text()
    transforms = json.loads((seen / "transforms.json").read_text())
    return Seen(seen, json.loads(report.read_text()), transforms)


def settle(folder: Path) -> None:
    """Wait until a second passes without a new message: the last views are still on their way."""
    count, since = -1, time.monotonic()
    while time.monotonic() - since < 1.0:
        now = sum(1 for _ in folder.iterdir())
        if now != count:
            count, since = now, time.monotonic()
        time.sleep(0.1)


@pytest.fixture(scope="session")
def truth() -> dict[int, dict]:
    frames = json.loads((SAMPLE / "truth.json").read_text())["frames"]
    return {frame["stamp_ns"]: frame for frame in frames}


@pytest.fixture(scope="session")
def planar_run(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The whole sample, slowly enough that two busy cores lose nothing."""
    pytest.importorskip("rclpy")
    return replay_past_consumer(tmp_path_factory.mktemp("planar"), {}, "--rate", "0.6")


@pytest.fixture(scope="session")
def camera_run(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """The motion, as true cameras."""
    pytest.importorskip("rclpy")
    folder = tmp_path_factory.mktemp("camera")
    start = ("--start-offset", str(MOTION_OFFSET_S))
    return replay_past_consumer(folder, {"view_kind": "camera"}, "--rate", "0.8", *start)


@pytest.fixture(scope="session")
def own_network_run(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Two seconds of the sample past the network that the README's own-network example saves."""
    pytest.importorskip("rclpy")
    folder = tmp_path_factory.mktemp("own")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = readme.split("<!-- test: own network -->")[1].split("```python\n")[1].split("```")[0]
    assert len([line for line in script.splitlines() if line.strip()]) <= 10
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True)
    parameters = {
        "model": str(folder / "my_stn.pt"),
        "model_input_width": "28",
        "model_input_height": "28",
        "model_channels": "1",
    }
    return replay_past_consumer(folder, parameters, "--duration", "2")
