# SPDX-License-Identifier: Apache-2.0
"""The node as a process: bad starts are one sentence, every end is clean."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from node_harness import Client, RunningNode, wait_until
from node_models import write_model

from stn_perception.node.import_errors import explain_import_error
from stn_perception.node.main import main

pytestmark = pytest.mark.ros
ROOT = Path(__file__).parents[2]
START_S = 120.0


class NodeProcess:
    """canonicalizer_node in a process of its own, its log read line by line.

    Args:
        arguments: ROS parameters and remaps.
        blocked: Modules that cannot be imported there.
    """

    def __init__(self, *arguments: str, blocked: tuple[str, ...] = ()) -> None:
        code = (
            f"import sys; sys.modules.update(dict.fromkeys({blocked!r}))\n"
            "from stn_perception.node.main import main\n"
            f"sys.exit(main(['canonicalizer_node', '--ros-args', *{list(arguments)!r}]))"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.log = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log += line

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()

    def wait_for(self, text: str) -> None:
        wait_until(
            lambda: text in self.log or self.process.poll() is not None, lambda: self.log, START_S
        )
        assert text in self.log, self.log

    def end(self) -> int:
        """Exit code, once the process has ended by itself."""
        code = self.process.wait(START_S)
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.end()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield write_model(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-p", "modle:=planar"], "Unknown parameter 'modle'"),
        (["-p", "max_boxes:=0"], "max_boxes is 0"),
        (["-p", "max_boxes:=many"], "max_boxes is 'many'"),
        (["-p", "regions:=fixed"], "fixed_regions"),
        (["-p", "regions:=fixed", "-p", "fixed_regions:=[]"], "fixed_regions"),
        (["-p", "qos_overrides./camera/imag.subscription.depth:=3"], "/camera/imag"),
        (["--params-file", "/no/such.yaml"], "/no/such.yaml"),
    ],
)
def test_a_wrong_start_is_one_sentence(
    domain_id: int, arguments: list[str], expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["canonicalizer_node", "--ros-args", *arguments]) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if "[rcl]" not in line]
    assert len(lines) == 1 and expected in lines[0], lines


def test_a_model_that_cannot_be_opened_is_one_sentence(
    domain_id: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cut.pt").write_bytes(b"PK\x03\x04")
    arguments = ["--ros-args", "-p", f"model:={tmp_path / 'cut.pt'}"]
    assert main(["canonicalizer_node", *arguments]) == 1
    error = capfd.readouterr().err
    assert f"{tmp_path / 'cut.pt'}" in error
    assert "Traceback" not in error and error.count("[ERROR]") == 1


def test_a_missing_torch_is_explained(domain_id: int) -> None:
    with NodeProcess(blocked=("torch",)) as node:
        assert node.end() == 2
        assert "'torch'" in node.log and "pip install torch" in node.log
        assert "Traceback" not in node.log and node.log.count("[ERROR]") == 1


def test_a_numpy_abi_clash_is_explained() -> None:
    error = ImportError("numpy.core.multiarray failed to import")
    assert "numpy<2" in explain_import_error(error)


def test_without_vision_msgs_boxes_must_come_from_parameters(domain_id: int, model: Path) -> None:
    given = ("-p", f"model:={model}")
    blocked = ("vision_msgs", "vision_msgs.msg")
    with NodeProcess(*given, blocked=blocked) as node:
        assert node.end() == 2
        assert "'vision_msgs' is missing" in node.log and "full_frame or fixed" in node.log
    with NodeProcess(*given, "-p", "regions:=full_frame", blocked=blocked) as node:
        node.wait_for("Active")
        assert "'vision_msgs' is missing" in node.log
        assert node.interrupt() == 0


def test_a_second_node_of_the_same_name_is_refused(domain_id: int, model: Path) -> None:
    given = ("-p", f"model:={model}")
    with RunningNode(domain_id, f"model:={model}"):
        with NodeProcess(*given) as second:
            assert second.end() == 2
            assert "Another node named '/canonicalizer' is running" in second.log
            assert "waiting" not in second.log
        with NodeProcess(*given, "-r", "__ns:=/other") as elsewhere:
            elsewhere.wait_for("Active")
            assert elsewhere.interrupt(signal.SIGTERM) == 0


@pytest.mark.parametrize("moment", ["importing", "starting", "active"])
def test_an_interrupt_ends_cleanly_at_any_moment(domain_id: int, model: Path, moment: str) -> None:
    with NodeProcess("-p", f"model:={model}") as node:
        if moment == "importing":
            maps = Path(f"/proc/{node.process.pid}/maps")
            wait_until(lambda: "libtorch" in maps.read_text(), lambda: node.log, START_S)
        else:
            node.wait_for("Transport" if moment == "starting" else "Active")
        assert node.interrupt() == 0
        assert "Traceback" not in node.log
        assert "Error" not in node.log


def test_a_lifecycle_manager_starts_and_ends_the_process(domain_id: int, model: Path) -> None:
    given = ("-p", f"model:={model}", "-p", "autostart:=false")
    with Client(domain_id) as client, NodeProcess(*given) as node:

        def change(transition: int) -> None:
            request = ChangeState.Request(transition=Transition(id=transition))
            assert client.call(ChangeState, "/canonicalizer/change_state", request).success

        change(Transition.TRANSITION_CONFIGURE)
        assert "Active" not in node.log
        change(Transition.TRANSITION_ACTIVATE)
        node.wait_for("Active")
        change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert node.end() == 0
        assert "Traceback" not in node.log


def test_a_name_is_free_as_soon_as_its_process_has_ended(domain_id: int, model: Path) -> None:
    with Client(domain_id) as client, NodeProcess("-p", f"model:={model}") as node:
        node.wait_for("Active")
        names = client.node.get_node_names
        wait_until(lambda: "canonicalizer" in names(), lambda: str(names()))
        assert node.interrupt() == 0
        # One that crashed would be seen for 20 s.
        wait_until(lambda: "canonicalizer" not in names(), lambda: str(names()), 15.0)
