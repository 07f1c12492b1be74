# SPDX-License-Identifier: Apache-2.0
"""What exists between configure and cleanup: pipeline, publishers, inputs, taker and worker."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from stn_perception.messages.outcomes import DropReason
from stn_perception.node.camera_counters import CameraCounters
from stn_perception.node.camera_input import CameraInput
from stn_perception.node.camera_outputs import CameraOutputs
from stn_perception.node.frame_processor import CameraStation, FrameProcessor
from stn_perception.node.handover import LatestOnly
from stn_perception.node.message_factory import message_class, missing_message_type
from stn_perception.node.model_loading import limit_threads
from stn_perception.node.pipeline_mailbox import PipelineMailbox
from stn_perception.node.qos import create_publisher, result_qos
from stn_perception.node.reporter import Reporter
from stn_perception.node.result_publishing import ResultPublisher
from stn_perception.node.taking import Taker
from stn_perception.node.topics import TF_TOPIC, input_topics
from stn_perception.node.worker import Worker
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.intake.camera_info_latch import CameraInfoLatch
from stn_perception.runtime.intake.frame_assembly import FrameAssembly
from stn_perception.runtime.intake.frame_job import FrameJob
from stn_perception.runtime.parameters.parameters import NodeParameters
from stn_perception.runtime.pipeline import Pipeline

TF_TYPE = "tf2_msgs/msg/TFMessage"
_TF_DEPTH = 100  # as tf2's own broadcasters have it
_SAME_JUMP_S = 1.0  # stamps and the clock tell of one jump within this


class Session:
    """Owns everything that configure makes.

    Three threads meet here. The executor's calls what is public; the taker's takes camera messages
    and pairs them; the worker's turns frames into results. One lock keeps the first two apart, and
    frames are handed over to the third.

    Args:
        node: The rclpy node.
        parameters: Gives the running parameters.
        archive: The model, warmed up.
        counters: By camera; they outlive the session.
        reporter: Takes sentences about trouble.
    """

    def __init__(
        self,
        node: Any,
        parameters: Callable[[], NodeParameters],
        archive: ModelArchive,
        counters: Mapping[str, CameraCounters],
        reporter: Reporter,
    ) -> None:
        self._node = node
        self._parameters = parameters
        self._counters = counters
        self._reporter = reporter
        running = parameters()
        self.pipeline = Pipeline(archive, running.pipeline)
        self._mailbox = PipelineMailbox(self.pipeline)
        self._handover: LatestOnly[FrameJob] = LatestOnly()
        self._jumped_s: dict[str, float] = {}
        self._inputs_lock = threading.Lock()
        self._taker = Taker(node, self._inputs_lock)
        self._tf_publisher = self._make_tf_publisher()
        self.stations = {camera: self._station(camera) for camera in running.inputs.cameras}
        self.inputs = {camera: self._input(camera) for camera in running.inputs.cameras}
        self._processor = FrameProcessor(
            self.stations,
            self._mailbox,
            parameters,
            ResultPublisher(self._tf_publisher),
            reporter,
        )
        self._worker = Worker(
            self._handover,
            self._processor.process,
            prepare=lambda: limit_threads(parameters().model.num_threads),
        )

    @property
    def threads_alive(self) -> bool:
        """Whether messages are still taken and frames worked on."""
        return self._worker.alive and not self._taker.failed

    def take(self, allowed: bool, reason: DropReason = DropReason.DISABLED) -> None:
        """Subscribe to the cameras that somebody wants something of, unsubscribe from others.

        Args:
            allowed: Whether the node is active and enabled.
            reason: What frames that wait are counted under where it is not.
        """
        lazy = self._parameters().inputs.lazy
        for camera, input_ in self.inputs.items():
            wanted = allowed and (not lazy or bool(self.stations[camera].outputs.watched()))
            if wanted == input_.subscribed:
                continue
            with self._inputs_lock:
                if wanted:
                    input_.subscribe()
                else:
                    self._unsubscribe(camera, reason)
            if wanted:
                self._node.get_logger().info(f"Subscribed to the inputs of '{camera}'.")
            elif allowed:
                self._node.get_logger().info(
                    f"Nobody subscribes to an output of '{camera}': unsubscribed from its inputs."
                )

    def expire(self) -> None:
        """Let go of frames that waited too long for their detections."""
        with self._inputs_lock:
            for input_ in self.inputs.values():
                input_.assembly.expire()

    def forget_the_past(self) -> None:
        """The clock jumped back: clear pairing and tracks, but of cameras whose stamps did."""
        now_s = time.monotonic()
        with self._inputs_lock:
            for camera, input_ in self.inputs.items():
                if now_s - self._jumped_s.get(camera, -math.inf) < _SAME_JUMP_S:
                    continue  # frames of the new time are here already, and stay
                input_.assembly.clear(DropReason.TIME_JUMP)
                self._on_jump(camera)

    def change(self, parameters: NodeParameters) -> None:
        """Follow changed parameters.

        Raises:
            ValueError: The pipeline cannot have these settings; it keeps the old ones.
        """
        self.pipeline.replace_settings(parameters.pipeline)
        for camera, input_ in self.inputs.items():
            with self._inputs_lock:
                input_.assembly.change(parameters.inputs)
            self.stations[camera].latch.change(parameters.inputs.input_is_rectified)

    def misfits(self) -> list[str]:
        """One sentence for each output with a subscriber whose quality of service does not fit."""
        stations = self.stations.values()
        return [sentence for station in stations for sentence in station.outputs.misfits()]

    def close(self) -> None:
        """Unsubscribe, finish the batch in hand, count what is left, destroy the publishers."""
        self.take(allowed=False, reason=DropReason.SHUTDOWN)
        self._taker.stop()
        for job in self._worker.stop():
            self._processor.drop(job, DropReason.SHUTDOWN)
        for station in self.stations.values():
            station.outputs.close()
        if self._tf_publisher is not None:
            self._node.destroy_publisher(self._tf_publisher)

    def _station(self, camera: str) -> CameraStation:
        running = self._parameters()
        return CameraStation(
            counters=self._counters[camera],
            latch=CameraInfoLatch(running.inputs.input_is_rectified),
            outputs=CameraOutputs(
                self._node, camera, running.pipeline.max_objects, running.inputs.use_depth
            ),
        )

    def _input(self, camera: str) -> CameraInput:
        settings, station = self._parameters().inputs, self.stations[camera]
        topics = input_topics(camera, settings.image_transport, self._node.resolve_topic_name)
        assembly = FrameAssembly(
            camera, settings, station.counters, self._hand_over, lambda: self._on_jump(camera)
        )
        return CameraInput(
            self._node,
            camera,
            topics,
            settings,
            station.counters,
            station.latch,
            assembly,
            self._taker,
            self._reporter,
        )

    def _unsubscribe(self, camera: str, reason: DropReason) -> None:
        self.inputs[camera].unsubscribe(reason)
        for job in self._handover.clear(camera):
            self._processor.drop(job, reason)

    def _hand_over(self, job: FrameJob) -> None:
        replaced = self._handover.put(job.camera, job)
        if replaced is not None:
            self._processor.drop(replaced, DropReason.BUSY)

    def _on_jump(self, camera: str) -> None:
        self._jumped_s[camera] = time.monotonic()
        self._node.get_logger().info(f"Time jumped back: the tracks of '{camera}' start anew.")
        for job in self._handover.clear(camera):
            self._processor.drop(job, DropReason.TIME_JUMP)
        self._mailbox.post(lambda pipeline: pipeline.reset(camera))

    def _make_tf_publisher(self) -> Any:
        missing = missing_message_type(TF_TYPE)
        if missing:
            self._node.get_logger().warning(f"{missing} Views keep the source's frame until then.")
            return None
        return create_publisher(
            self._node,
            message_class(TF_TYPE),
            self._node.resolve_topic_name(TF_TOPIC),
            result_qos(_TF_DEPTH),
        )
