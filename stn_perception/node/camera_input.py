# SPDX-License-Identifier: Apache-2.0
"""The subscriptions of one camera: there while wanted, every message counted when taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from stn_perception.messages.outcomes import DropReason
from stn_perception.node.camera_counters import CameraCounters
from stn_perception.node.counters import OutcomeCounter
from stn_perception.node.idle_watch import InputActivity
from stn_perception.node.latencies import Rate
from stn_perception.node.message_factory import message_class
from stn_perception.node.qos import create_subscription, sensor_qos
from stn_perception.node.reporter import Reporter
from stn_perception.node.sequence_gaps import SequenceGaps
from stn_perception.node.taking import Taker
from stn_perception.node.topics import InputTopics
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.intake.frame_assembly import FrameAssembly
from stn_perception.runtime.parameters.settings import InputSettings

IMAGE_TYPES = {"raw": "sensor_msgs/msg/Image", "compressed": "sensor_msgs/msg/CompressedImage"}
DETECTIONS_TYPE = "vision_msgs/msg/Detection2DArray"
_LONGEST_CARRIAGE_S = 10.0  # more is another machine's clock
_SMALL_DEPTH = 10  # boxes and calibration are small, and none should be skipped


class CameraInput:
    """Everything that comes in for one camera; used under the session's lock.

    Args:
        node: The rclpy node.
        camera: Name of the camera.
        topics: Resolved names.
        settings: The inputs' parameters at configure.
        counters: The camera's.
        latch: Where CameraInfo goes.
        assembly: Where the rest goes.
        taker: Takes the messages.
        reporter: Takes sentences about what cannot be used.
    """

    def __init__(
        self,
        node: Any,
        camera: str,
        topics: InputTopics,
        settings: InputSettings,
        counters: CameraCounters,
        latch: CameraInfoLatch,
        assembly: FrameAssembly,
        taker: Taker,
        reporter: Reporter,
    ) -> None:
        self.assembly = assembly
        self._node = node
        self._camera = camera
        self._topics = topics
        self._settings = settings
        self._counters = counters
        self._latch = latch
        self._taker = taker
        self._reporter = reporter
        self._subscriptions: dict[str, Any] = {}
        self._subscribed_s = 0.0

    @property
    def subscribed(self) -> bool:
        """Whether messages are taken."""
        return bool(self._subscriptions)

    def subscribe(self) -> None:
        """Begin to take messages."""
        if self.subscribed:
            return
        self._subscribed_s = time.monotonic()
        counters, topics, take = self._counters, self._topics, self._add
        info_type = "sensor_msgs/msg/CameraInfo"
        camera_info = topics.camera_info
        take("camera_info", info_type, camera_info, self._on_camera_info, counters.camera_infos)
        if self._settings.regions == "detections":
            push = self.assembly.push_detections
            detections = topics.detections
            take("detections", DETECTIONS_TYPE, detections, push, counters.detections)
        if self._settings.use_depth:
            push = self.assembly.push_depth
            take("depth", IMAGE_TYPES["raw"], topics.depth, push, counters.depth)
        image_type = IMAGE_TYPES[self._settings.image_transport]
        take("image", image_type, topics.image, self.assembly.push_image, counters.frames)

    def unsubscribe(self, reason: DropReason) -> None:
        """Take no more messages; what waits for others is given up under ``reason``."""
        for subscription in self._subscriptions.values():
            self._taker.remove(subscription)
            self._node.destroy_subscription(subscription)
        self._subscriptions = {}
        self.assembly.clear(reason)

    def activity(self) -> InputActivity:
        """What the idle watch wants to know."""
        topics, counters = self._topics, self._counters
        return InputActivity(
            now_s=time.monotonic(),
            subscribed_s=self._subscribed_s,
            image_topic=topics.image,
            camera_info_topic=topics.camera_info,
            detections_topic=topics.detections if "detections" in self._subscriptions else "",
            depth_topic=topics.depth if "depth" in self._subscriptions else "",
            image_s=counters.frames_in.last_s,
            detections_s=counters.detections_in.last_s,
            depth_s=counters.depth_in.last_s,
            image_publishers=self._publishers(topics.image),
            detections_publishers=self._publishers(topics.detections),
            paired_s=counters.paired.last_s,
            image_kind=self._latch.last_sought,
            camera_info_fits=not self._latch.last_sought_in_vain,
            camera_info_kinds=tuple(self._latch.kinds()),
        )

    def _add(
        self,
        kind: str,
        type_name: str,
        topic: str,
        take: Callable[[Any], None],
        counter: OutcomeCounter,
    ) -> None:
        rates: Mapping[str, Rate] = {
            "image": self._counters.frames_in,
            "detections": self._counters.detections_in,
            "depth": self._counters.depth_in,
        }
        rate, gaps = rates.get(kind), SequenceGaps()

        def on_message(message: Any, info: Mapping[str, Any]) -> None:
            counter.count_received()
            counter.count_gap(gaps.missing(info))
            if rate is not None:
                rate.tick()
            if kind == "image":
                self._note_carriage(info)
            take(message)

        depth = 1 if kind in ("image", "depth") else _SMALL_DEPTH
        subscription = create_subscription(
            self._node,
            message_class(type_name),
            topic,
            on_message,
            sensor_qos(depth),
            counter.count_lost,
            self._taker.group,
        )
        self._subscriptions[kind] = subscription
        self._taker.add(subscription)

    def _note_carriage(self, info: Mapping[str, Any]) -> None:
        """How long the image was on its way, where writer and reader share a clock."""
        written_ns = info.get("source_timestamp", 0)
        on_its_way_s = (time.time_ns() - written_ns) / 1e9
        if written_ns > 0 and 0 <= on_its_way_s < _LONGEST_CARRIAGE_S:
            self._counters.latencies.add({"carry": on_its_way_s})

    def _on_camera_info(self, message: Any) -> None:
        refusal = self._latch.put(message)
        if refusal is None:
            self._counters.camera_infos.count_used()
            return
        self._counters.camera_infos.count_dropped(refusal.reason)
        self._reporter.report(
            f"{self._camera} camera_info",
            f"camera_info on '{self._topics.camera_info}' cannot be used: {refusal}.",
        )

    def _publishers(self, topic: str) -> int:
        return int(self._node.count_publishers(topic))
