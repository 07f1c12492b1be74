# SPDX-License-Identifier: Apache-2.0
"""Say which input is missing, so that nobody stares at a silent node."""

from __future__ import annotations

from dataclasses import dataclass

REPEAT_S = 60.0


@dataclass(frozen=True)
class InputActivity:
    """What one camera's inputs did; times on the steady clock in seconds.

    Attributes:
        now_s: The present.
        subscribed_s: Since when the node subscribes.
        image_topic, camera_info_topic: Resolved names.
        detections_topic: Resolved name, or "" where boxes come from parameters.
        depth_topic: Resolved name, or "" where depth is not used.
        image_s, detections_s, depth_s: When the last one came, or None.
        image_publishers, detections_publishers: How many publishers match.
        paired_s: When the last frame found its boxes, or None.
        image_kind: ``'frame' 640×480`` of the last image, or "".
        camera_info_fits: Whether a CameraInfo fits that image.
        camera_info_kinds: What CameraInfo came.
    """

    now_s: float
    subscribed_s: float
    image_topic: str
    camera_info_topic: str
    detections_topic: str
    depth_topic: str
    image_s: float | None
    detections_s: float | None
    depth_s: float | None
    image_publishers: int
    detections_publishers: int
    paired_s: float | None
    image_kind: str
    camera_info_fits: bool
    camera_info_kinds: tuple[str, ...]


def missing_inputs(activity: InputActivity, idle_s: float) -> list[str]:
    """One sentence per input that was silent for ``idle_s`` or never fitted."""
    now, since = activity.now_s, activity.subscribed_s

    def silent(last_s: float | None) -> bool:
        return now - max(since, last_s if last_s is not None else since) >= idle_s

    if silent(activity.image_s):
        count = activity.image_publishers
        return [
            f"No image on '{activity.image_topic}' for {idle_s:g} s "
            f"({_publishers(count)}; check the topic's name and its QoS)."
        ]
    sentences = []
    if activity.detections_topic and silent(activity.detections_s):
        sentences.append(
            f"Images but no detections on '{activity.detections_topic}' for {idle_s:g} s "
            f"({_publishers(activity.detections_publishers)})."
        )
    elif activity.detections_topic and silent(activity.paired_s):
        sentences.append(
            f"Images and detections, but none with fitting stamps for {idle_s:g} s on "
            f"'{activity.detections_topic}' (see sync, sync_slop_s and sync_timeout_s)."
        )
    if activity.depth_topic and silent(activity.depth_s):
        sentences.append(f"Images but no depth on '{activity.depth_topic}' for {idle_s:g} s.")
    if not activity.camera_info_fits and now - since >= idle_s:
        came = ", ".join(activity.camera_info_kinds) or "none came"
        sentences.append(
            f"camera_info on '{activity.camera_info_topic}' never matched the images "
            f"({activity.image_kind}; {came}): views are uncalibrated, without poses and TF."
        )
    return sentences


def _publishers(count: int) -> str:
    return "no publisher" if count == 0 else f"{count} publisher{'s' if count > 1 else ''}"


class Reminder:
    """Lets a sentence through when it is new, and again every minute while it stays true."""

    def __init__(self) -> None:
        self._told_s: dict[str, float] = {}

    def due(self, sentences: list[str], now_s: float) -> list[str]:
        """Sentences to tell now; ones that are no longer true are forgotten."""
        self._told_s = {text: at for text, at in self._told_s.items() if text in sentences}
        new = [text for text in sentences if now_s - self._told_s.get(text, -REPEAT_S) >= REPEAT_S]
        self._told_s.update(dict.fromkeys(new, now_s))
        return new
