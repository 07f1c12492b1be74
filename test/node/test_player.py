# SPDX-License-Identifier: Apache-2.0
"""The player sends every message once, in order, at its time, over a real middleware."""

import json
import math
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from rosgraph_msgs.msg import Clock  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from stn_perception.bags import BagError, BagWriter, RosbagsFactory, TopicQos  # noqa: E402
from stn_perception.node.player import PlayError, main, play  # noqa: E402
from stn_perception.node.player_options import PlayOptions  # noqa: E402
from stn_perception.node.stop_signal import StopSignal  # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("plain_domain")]
START_NS = 1_700_000_000_000_000_000
STEP_NS = 10_000_000
DEEP = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture
def bag(tmp_path) -> Path:
    """100 messages, alternating on two topics, one every 10 ms."""
    factory = RosbagsFactory()
    with BagWriter(tmp_path / "words") as writer:
        writer.add_topic("/a/words", "std_msgs/msg/String", (TopicQos(depth=10),))
        latched = TopicQos("best_effort", "transient_local", 3)
        writer.add_topic("/a/echo", "std_msgs/msg/String", (latched,))
        for index in range(100):
            message = factory.make("std_msgs/msg/String", data=str(index))
            topic = "/a/echo" if index % 2 else "/a/words"
            writer.write_message(topic, START_NS + index * STEP_NS, message)
    return tmp_path / "words"


class Listener:
    """A node of its own that keeps what it hears, spun in a thread."""

    def __init__(self):
        self.heard: list[tuple[str, str]] = []
        self.clock_ns: list[int] = []
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = Node("listener", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.stopped = False
        self.thread = threading.Thread(target=self._spin)

    def _spin(self):
        while not self.stopped:
            self.executor.spin_once(timeout_sec=0.05)

    def hear(self, topic: str, profile: QoSProfile = DEEP):
        def keep(message):
            self.heard.append((topic, message.data))

        return self.node.create_subscription(String, topic, keep, profile)

    def hear_clock(self):
        def keep(message):
            self.clock_ns.append(message.clock.sec * 10**9 + message.clock.nanosec)

        self.node.create_subscription(Clock, "/clock", keep, DEEP)

    def words(self, topic: str) -> list[int]:
        return [int(word) for name, word in list(self.heard) if name == topic]

    def wait_for(self, condition, timeout_s: float = 60.0) -> bool:
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True


@pytest.fixture
def listener():
    listener = Listener()
    yield listener
    listener.stopped = True
    listener.thread.join()
    listener.executor.shutdown()
    listener.node.destroy_node()
    rclpy.shutdown(context=listener.context)


def options(bag: Path, **changes) -> PlayOptions:
    return PlayOptions(bag, **{"wait_for_subscribers": 1, "clock_hz": 0.0, **changes})


def test_every_message_is_sent_once_in_order_at_its_time(bag, listener, tmp_path):
    listener.hear("/a/words")
    listener.thread.start()
    log = tmp_path / "log.jsonl"
    report = play(options(bag, topics=("/a/words",), publish_log=log, rate=2.0))
    assert listener.wait_for(lambda: len(listener.heard) >= 50)
    assert listener.words("/a/words") == list(range(0, 100, 2))
    assert report.published == {"/a/words": 50}
    assert report.duration_s > 0.45  # a busy machine may take longer
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    span_s = (entries[-1]["steady_ns"] - entries[0]["steady_ns"]) / 1e9
    assert len(entries) == 50 and span_s > 0.45


def test_quality_of_service_is_that_of_the_recording(bag, listener):
    """Both topics reach a subscriber that takes what the bag says was offered."""
    listener.hear("/a/words")
    taking = QoSProfile(
        depth=1000,
        reliability=ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
    listener.hear("/a/echo", taking)
    offers = {}

    def look():
        for info in listener.node.get_publishers_info_by_topic("/a/echo"):
            offers["/a/echo"] = (info.qos_profile.reliability, info.qos_profile.durability)

    listener.node.create_timer(0.02, look)
    listener.thread.start()
    play(options(bag))
    assert listener.wait_for(lambda: len(listener.words("/a/words")) == 50)
    assert offers["/a/echo"] == (ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.TRANSIENT_LOCAL)


def test_a_part_is_chosen_by_offset_duration_and_names(bag, listener):
    listener.hear("/b/words")
    listener.thread.start()
    report = play(
        options(
            bag,
            start_offset_s=0.2,
            duration_s=0.3,
            exclude=("/a/echo",),
            remaps=(("/a", "/b"),),
        )
    )
    assert listener.wait_for(lambda: len(listener.heard) >= 15)
    assert listener.words("/b/words") == list(range(20, 50, 2))
    assert sum(report.published.values()) == 15


def test_the_clock_runs_with_the_bag_and_jumps_back_when_it_loops(bag, listener):
    listener.hear("/a/words")
    listener.hear_clock()
    listener.thread.start()
    stop = StopSignal()
    watcher = threading.Thread(
        target=lambda: (listener.wait_for(lambda: len(listener.heard) >= 80), stop.request())
    )
    watcher.start()
    report = play(options(bag, exclude=("/a/echo",), loop=True, rate=4.0, clock_hz=200.0), stop)
    watcher.join()
    assert report.interrupted
    words = listener.words("/a/words")
    assert words[:80] == [*range(0, 100, 2), *range(0, 60, 2)]
    steps = [b - a for a, b in zip(listener.clock_ns, listener.clock_ns[1:], strict=False)]
    assert sum(step < 0 for step in steps) == 1
    assert START_NS <= min(listener.clock_ns) < START_NS + 10**8
    assert START_NS + 8 * 10**8 < max(listener.clock_ns) < START_NS + 11 * 10**8


def test_late_messages_are_counted(bag):
    report = play(PlayOptions(bag, rate=1000.0, clock_hz=0.0, late_after_s=0.0))
    assert report.late == sum(report.published.values()) == 100
    assert report.max_late_s > 0
    assert "100 of them late" in report.sentence()


def test_what_cannot_be_played_is_said_in_a_sentence(bag, tmp_path):
    with pytest.raises(BagError, match="there is no bag"):
        play(PlayOptions(tmp_path / "nowhere"))
    with pytest.raises(PlayError, match="no topic /nope, it has /a/echo, /a/words"):
        play(PlayOptions(bag, topics=("/nope",)))
    with pytest.raises(PlayError, match=r"has 0 of 1 subscribers after 0.1 s"):
        play(options(bag, wait_timeout_s=0.1))
    with pytest.raises(PlayError, match=r"is 1\.0 s long"):
        play(PlayOptions(bag, start_offset_s=60.0))
    with pytest.raises(ValueError, match="the rate is -1"):
        PlayOptions(bag, rate=-1)


@pytest.mark.parametrize("name", ["rate", "duration_s", "start_offset_s", "clock_hz"])
@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_numbers_that_are_not_finite_are_refused(name, value):
    with pytest.raises(ValueError, match=str(value)):
        PlayOptions(Path("bag"), **{name: value})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "/nowhere/report.json"], "/nowhere/report.json"),
        (["--ros-args", "-r", "no_rule"], "ROS 2 cannot start"),
    ],
)
def test_the_command_fails_in_a_sentence(bag, capsys, arguments, words):
    assert main([str(bag), "--duration", "0.05", *arguments]) == 1
    errors = capsys.readouterr().err
    assert errors.startswith("error: ") and words in errors and errors.count("\n") == 1


@pytest.mark.parametrize("rule", ["/a", "a:=/b", "/a:=/b c", "/a:=/1", "/a:="])
def test_a_remap_that_is_none_is_refused(bag, capsys, rule):
    with pytest.raises(SystemExit):
        main([str(bag), "--remap", rule])
    assert "is no remap" in capsys.readouterr().err


def test_a_type_that_is_not_installed_names_its_package(tmp_path):
    from stn_perception.bags.typestore import ensure_type, make_typestore

    folder = tmp_path / "share" / "unknown_msgs" / "msg"
    folder.mkdir(parents=True)
    (folder / "Thing.msg").write_text("float64 x\n")
    store = make_typestore()
    ensure_type(store, "unknown_msgs/msg/Thing", [tmp_path / "share"])
    with BagWriter(tmp_path / "things", typestore=store) as writer:
        writer.add_topic("/thing", "unknown_msgs/msg/Thing")
        writer.write_message("/thing", 1, store.types["unknown_msgs/msg/Thing"](x=1.0))
    with pytest.raises(PlayError, match=r"unknown_msgs.*--exclude /thing"):
        play(PlayOptions(tmp_path / "things"))


def test_ctrl_c_ends_the_command_without_a_traceback(bag, listener):
    listener.hear("/a/words")
    listener.thread.start()
    command = [sys.executable, "-m", "stn_perception.node.player", str(bag), "--loop"]
    player = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert listener.wait_for(lambda: len(listener.heard) > 5)
    player.send_signal(signal.SIGINT)
    out, errors = player.communicate(timeout=60)
    assert player.returncode == 0
    assert out.startswith("Stopped after") and "Traceback" not in errors
