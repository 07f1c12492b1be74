# SPDX-License-Identifier: Apache-2.0
"""The recorder keeps what was published, and leaves a whole bag or none."""

import json
import signal
import subprocess
import sys
import time

import pytest

rclpy = pytest.importorskip("rclpy")

from geometry_msgs.msg import PointStamped  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from stn_perception.bags import BagReader  # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.usefixtures("plain_domain")]


@pytest.fixture
def node():
    context = rclpy.Context()
    rclpy.init(context=context)
    node = Node("speaker", context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def recorder(tmp_path):
    """Start the recorder as a command; it is killed if a test leaves it running."""
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "stn_perception.node.recorder", str(tmp_path / "bag")]
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition, timeout_s=60.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.01)


def point(frame_id: str, stamp_ns: int) -> PointStamped:
    message = PointStamped()
    message.header.frame_id = frame_id
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return message


def finish(process: subprocess.Popen, number=signal.SIGINT) -> tuple[int, str, str]:
    process.send_signal(number)
    out, errors = process.communicate(timeout=60)
    return process.returncode, out, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_recording_is_complete_and_in_order(node, recorder, tmp_path, number):
    publisher = node.create_publisher(String, "/words", 1000)
    process = recorder("--topics", "/words", "/silence")
    wait_for(lambda: publisher.get_subscription_count() == 1)
    for index in range(300):
        publisher.publish(String(data=str(index)))
    wait_for(lambda: publisher.wait_for_all_acked())
    assert not (tmp_path / "bag").exists()
    code, out, errors = finish(process, number)
    assert (code, errors) == (0, "")
    assert "Recorded 300 messages" in out and "Nobody published /silence" in out
    with BagReader(tmp_path / "bag") as bag:
        words = [int(bag.deserialize(m).data) for m in bag.messages()]
    assert words == list(range(300))
    assert [p.name for p in tmp_path.iterdir()] == ["bag"]


def test_latched_and_lossy_publishers_are_heard_and_arrivals_are_timed(node, recorder, tmp_path):
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    lossy = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
    early = node.create_publisher(PointStamped, "/x/early", latched)
    early.publish(point("before the recorder", 3))
    stream = node.create_publisher(PointStamped, "/x/stream", lossy)
    log = tmp_path / "arrivals"
    process = recorder("--pattern", "/x/.*", "--arrival-log", str(log))
    wait_for(lambda: stream.get_subscription_count() == 1 and early.get_subscription_count() == 1)
    before_ns = time.monotonic_ns()
    stream.publish(point("later", 7_000_000_005))
    # A lossy message has no acknowledgement to wait for.
    wait_for(lambda: log.read_text().count("\n") == 2)
    after_ns = time.monotonic_ns()
    assert finish(process)[0] == 0
    with BagReader(tmp_path / "bag") as bag:
        frames = {m.topic: bag.deserialize(m).header.frame_id for m in bag.messages()}
        assert bag.topics["/x/early"].qos[0].durability == "transient_local"
        assert bag.topics["/x/stream"].qos[0].reliability == "best_effort"
    assert frames == {"/x/early": "before the recorder", "/x/stream": "later"}
    lines = [json.loads(line) for line in log.read_text().splitlines() if "stream" in line]
    assert [line["stamp_ns"] for line in lines] == [7_000_000_005]
    assert before_ns < lines[0]["steady_ns"] < after_ns


def test_a_killed_recording_leaves_no_bag_and_the_next_one_clears_up(node, recorder, tmp_path):
    publisher = node.create_publisher(String, "/words", 10)
    process = recorder("--topics", "/words")
    wait_for(lambda: publisher.get_subscription_count() == 1)
    publisher.publish(String(data="lost"))
    process.kill()
    process.wait()
    assert not (tmp_path / "bag").exists()
    again = node.create_publisher(String, "/again", 10)
    process = recorder("--topics", "/again")
    wait_for(lambda: again.get_subscription_count() == 1)
    again.publish(String(data="kept"))
    wait_for(lambda: again.wait_for_all_acked())
    assert finish(process)[0] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["bag"]


def test_hearing_nothing_writes_no_bag_and_says_so(recorder, tmp_path):
    process = recorder("--topics", "/silence", "--duration", "0.3")
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and errors == ""
    assert "no bag was written" in out and "Nobody published /silence" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "/nowhere/report.json"], "/nowhere/report.json"),
        (["--ros-args", "-r", "no_rule"], "ROS 2 cannot start"),
    ],
)
def test_the_command_fails_in_a_sentence(recorder, arguments, words):
    process = recorder("--topics", "/silence", "--duration", "0.3", *arguments)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert words in errors and "Traceback" not in errors


def test_a_taken_place_and_no_topics_are_refused_in_a_sentence(recorder, tmp_path):
    process = recorder()
    assert "error: no topic to record" in process.communicate(timeout=60)[1]
    (tmp_path / "bag").mkdir()
    process = recorder("--topics", "/words")
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert "exists already" in errors and "Traceback" not in errors
