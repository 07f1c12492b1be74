# SPDX-License-Identifier: Apache-2.0
"""All endpoints that a set of parameters leads to, and the overrides that they take."""

from __future__ import annotations

from collections.abc import Callable

from stn_perception.node.camera_outputs import output_suffixes
from stn_perception.node.qos import override_names
from stn_perception.node.topics import (
    DIAGNOSTICS_TOPIC,
    TF_TOPIC,
    input_topics,
    output_topic,
)
from stn_perception.runtime.parameters.parameters import NodeParameters


def qos_override_names(parameters: NodeParameters, resolve: Callable[[str], str]) -> set[str]:
    """Names of the parameters that override some endpoint's quality of service."""
    names = set()
    for topic in (TF_TOPIC, DIAGNOSTICS_TOPIC):
        names |= override_names(resolve(topic), "publisher")
    inputs = parameters.inputs
    for camera in inputs.cameras:
        topics = input_topics(camera, inputs.image_transport, resolve)
        subscribed = [topics.image, topics.camera_info]
        subscribed += [topics.detections] if inputs.regions == "detections" else []
        subscribed += [topics.depth] if inputs.use_depth else []
        for topic in subscribed:
            names |= override_names(topic, "subscription")
        for suffix in output_suffixes(parameters.pipeline.max_objects, inputs.use_depth):
            names |= override_names(output_topic(camera, suffix, resolve), "publisher")
    return names
