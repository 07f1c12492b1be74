# SPDX-License-Identifier: Apache-2.0
"""A canonicalizer node and a client of it, each in a context of its own, on real Fast DDS."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from node_messages import detections_message, image_message, stamp_of
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, Image
from vision_msgs.msg import Detection2DArray

from stn_perception.messages.outcomes import DropReason
from stn_perception.node.canonicalizer_node import CanonicalizerNode
from stn_perception.node.counters import OutcomeCounts
from stn_perception.node.stop_signal import StopSignal

TIMEOUT_S = 60.0  # what a busy machine may take; nothing waits longer than it must
RELIABLE = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE
)


class RunningNode:
    """The node in this process with its executor in a thread.

    Args:
        domain_id: ROS domain.
        arguments: ROS parameters as ``name:=value``.
        active: Whether to walk to active.
    """

    def __init__(self, domain_id: int, *arguments: str, active: bool = True) -> None:
        self.context = Context()
        line = ["canonicalizer_node", "--ros-args"]
        for argument in arguments:
            line += argument.split(" ", 1) if argument.startswith("-") else ["-p", argument]
        rclpy.init(
            args=line,
            context=self.context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.stop = StopSignal()
        self._thread: threading.Thread | None = None
        try:
            self.node = CanonicalizerNode(self.context, self.stop)
        except BaseException:
            self.context.try_shutdown()
            raise
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        try:
            if active:
                assert self.node.trigger_configure() == TransitionCallbackReturn.SUCCESS
                assert self.node.trigger_activate() == TransitionCallbackReturn.SUCCESS
            self._thread = threading.Thread(target=self._spin)
            self._thread.start()
        except BaseException:
            self.__exit__()
            raise

    def _spin(self) -> None:
        while not self.stop.is_set():
            self._executor.spin_once()

    def __enter__(self) -> RunningNode:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.request()
        if self._thread is not None:
            self._thread.join()
        self.node.close()
        self._executor.shutdown()
        self.node.destroy_node()
        # A lifecycle node stays in the graph until its state machine is collected.
        del self.node, self._executor
        gc.collect()
        self.context.try_shutdown()

    def frames(self, camera: str = "camera") -> OutcomeCounts:
        return self.node.counters[camera].frames.counts()

    def boxes(self, camera: str = "camera") -> OutcomeCounts:
        return self.node.counters[camera].boxes.counts()

    def wait_for_drop(self, reason: DropReason, kind: str = "frames", count: int = 1) -> None:
        """Wait until so many messages were dropped for this reason."""
        counter = getattr(self.node.counters["camera"], kind)
        wait_until(
            lambda: counter.counts().dropped.get(reason, 0) >= count,
            lambda: f"{kind}: {counter.counts()}, expected {count} × {reason}",
        )


class Client:
    """A node that knows nothing of the package: it publishes inputs and collects outputs."""

    def __init__(self, domain_id: int) -> None:
        self.context = Context()
        rclpy.init(
            context=self.context,
            domain_id=domain_id,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node("client", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._stop = threading.Event()
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self) -> None:
        while not self._stop.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        self.context.try_shutdown()

    def collect(self, message_type: Any, topic: str, qos: Any = RELIABLE) -> Collected:
        """Subscribe and keep everything."""
        return Collected(self.node, message_type, topic, qos)

    def publisher(self, message_type: Any, topic: str, qos: Any = RELIABLE) -> Any:
        return self.node.create_publisher(message_type, topic, qos)

    def call(self, service_type: Any, name: str, request: Any) -> Any:
        """Call a service and return its response."""
        client = self.node.create_client(service_type, name)
        try:
            assert client.wait_for_service(timeout_sec=TIMEOUT_S), f"no service {name}"
            done = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _: done.set())
            assert done.wait(TIMEOUT_S), f"no answer from {name}"
            return future.result()
        finally:
            self.node.destroy_client(client)


class Collected:
    """Messages of one topic in the order of arrival."""

    def __init__(self, node: Any, message_type: Any, topic: str, qos: Any) -> None:
        self.topic = topic
        self.messages: list[Any] = []
        self._arrived = threading.Condition()
        self._node = node
        self.subscription = node.create_subscription(message_type, topic, self._take, qos)

    def _take(self, message: Any) -> None:
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()

    def wait(self, fits: Callable[[Any], bool], timeout_s: float = TIMEOUT_S) -> Any:
        """The first message that fits."""

        def found() -> list[Any]:
            return [message for message in self.messages if fits(message)]

        with self._arrived:
            assert self._arrived.wait_for(found, timeout_s), (
                f"no fitting message on {self.topic}, {len(self.messages)} others came"
            )
            return found()[0]

    def at(self, stamp_ns: int) -> Any:
        """The message of this stamp."""
        return self.wait(lambda message: stamp_of(message) == stamp_ns)

    def matched(self) -> Collected:
        """This, once a publisher is matched."""
        wait_until(
            lambda: self.subscription.get_publisher_count() > 0, lambda: f"nobody on {self.topic}"
        )
        return self

    def close(self) -> None:
        self._node.destroy_subscription(self.subscription)


class CameraClient:
    """Publishes the inputs of one camera."""

    def __init__(self, client: Client, camera: str = "camera", prefix: str = "") -> None:
        self.images = client.publisher(Image, f"{prefix}/{camera}/image")
        self.infos = client.publisher(CameraInfo, f"{prefix}/{camera}/camera_info")
        self.detections = client.publisher(Detection2DArray, f"{prefix}/{camera}/detections")
        self._stamp_ns = 1_000_000_000

    def wait(self, *publishers: Any) -> CameraClient:
        """This, once the node subscribes to what is published."""
        for publisher in publishers or (self.images, self.infos, self.detections):
            wait_until(
                lambda publisher=publisher: publisher.get_subscription_count() > 0,
                lambda publisher=publisher: f"nobody subscribes to {publisher.topic_name}",
            )
        # The publisher knows of the match before the node does; what it sends in between is lost.
        time.sleep(0.2)
        return self

    def next_stamp_ns(self) -> int:
        self._stamp_ns += 50_000_000
        return self._stamp_ns

    def send(
        self,
        boxes: Sequence[Sequence[float]] | None = ((160.0, 120.0, 100.0, 80.0),),
        stamp_ns: int | None = None,
        **changes: Any,
    ) -> int:
        """An image and its detections (none at all if None); returns their stamp."""
        stamp = self.next_stamp_ns() if stamp_ns is None else stamp_ns
        detections = None if boxes is None else detections_message(stamp, boxes)
        self.images.publish(image_message(stamp, **changes))
        if detections is not None:
            self.detections.publish(detections)
        return stamp


def wait_until(
    holds: Callable[[], bool], why: Callable[[], str], timeout_s: float = TIMEOUT_S
) -> None:
    """Poll a condition that has no event to wait on."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, why()
        time.sleep(0.01)


def settled(node: RunningNode, camera: str = "camera") -> OutcomeCounts:
    """The frames' counts once no frame waits."""
    wait_until(lambda: node.frames(camera).waiting == 0, lambda: f"frames: {node.frames(camera)}")
    return node.frames(camera)
