# SPDX-License-Identifier: Apache-2.0
"""Publish one result: the frames first, then whatever somebody listens to."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from stn_perception.node.camera_outputs import CameraOutputs
from stn_perception.node.serialized_messages import SerializedFactory, serialized
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.parameters.settings import OutputSettings
from stn_perception.runtime.result_messages import IMAGE, ResultMessages
from stn_perception.runtime.results import FrameResult


class ResultPublisher:
    """Makes only those messages that have a subscriber.

    Args:
        tf_publisher: For /tf; None where its type is missing, then views keep the source's frame.
    """

    def __init__(self, tf_publisher: Any) -> None:
        self._factory = SerializedFactory()
        self._tf_publisher = tf_publisher

    def publish(
        self,
        outputs: CameraOutputs,
        result: FrameResult,
        frame: Frame,
        watched: Collection[str],
        settings: OutputSettings,
    ) -> int:
        """Publish one frame's result.

        Args:
            outputs: The camera's publishers.
            result: What to publish.
            frame: Its frame, for the overlay.
            watched: Suffixes of the topics that have a subscriber.
            settings: How frames are named.

        Returns:
            The number of views published.
        """
        messages = ResultMessages(
            self._factory,
            frame_prefix=settings.frame_prefix,
            view_frames=settings.view_frames and self._tf_publisher is not None,
            object_frames=settings.object_frames,
        )
        if self._tf_publisher is not None and self._tf_publisher.get_subscription_count() > 0:
            transforms = messages.transforms(result)
            if transforms is not None:
                self._tf_publisher.publish(serialized(transforms))
        prefix = f"{result.camera}/"
        views = 0
        for topic, message in messages.outputs(
            result, frame, lambda topic: topic.removeprefix(prefix) in watched
        ):
            outputs.publish(topic.removeprefix(prefix), serialized(message))
            views += topic.endswith(f"/{IMAGE}")
        return views
