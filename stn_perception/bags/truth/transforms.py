# SPDX-License-Identifier: Apache-2.0
"""Truth from the bag's transforms: rectangles of known size in frames of their own.

An object's frame is as this package publishes objects' poses: its origin at the rectangle's
centre, x to the right and y down in the rectangle's plane, z into the object. ``axes=right_up``
takes frames whose y points up and z towards the viewer, as OpenCV's poses of fiducials have them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stn_perception.bags.errors import BagError
from stn_perception.bags.reader import BagReader
from stn_perception.bags.truth.objects import SeenFrame, TrueObject
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.geometry import (
    FloatArray,
    PinholeIntrinsics,
    Pose,
    convex_intersection,
    is_convex_clockwise,
    object_corners,
    polygon_area,
    project,
    view_corners,
)
from stn_perception.messages.transform_history import (
    TransformHistory,
    TransformRecorder,
    frame_name,
)

TF_TYPE = "tf2_msgs/msg/TFMessage"
INFO_TYPE = "sensor_msgs/msg/CameraInfo"
LEAST_SHARE_IN_FRAME = 0.5
"""An object counts as seen where this share of its outline lies in the frame."""


@dataclass(frozen=True, eq=False)
class TransformTruth:
    """Projects objects by the transforms at each image's stamp.

    Attributes:
        history: The transforms between objects and cameras.
        corners: Of each object in its frame, 4×3 metres, by the frame's name.
        max_gap_ns: No interpolation between transforms further apart.
        sentences: What could not be used.
        needs_pixels: Never.
    """

    history: TransformHistory
    corners: Mapping[str, FloatArray]
    max_gap_ns: int
    sentences: tuple[str, ...] = ()
    needs_pixels: bool = False

    def objects(self, seen: SeenFrame) -> tuple[TrueObject, ...]:
        """The objects that face the camera with enough of their outline in the frame.

        None where the camera is not calibrated, or where a transform is not known at the stamp.
        Whether something hides an object is not known.
        """
        if seen.intrinsics is None:
            return ()
        optical = seen.intrinsics.frame_id or seen.frame_id
        found = []
        for name, corners in self.corners.items():
            pose = self.history.lookup(optical, name, seen.stamp_ns, self.max_gap_ns)
            quad = None if pose is None else _seen_quad(pose, corners, seen.intrinsics)
            if quad is not None and _share_in_frame(quad, seen) >= LEAST_SHARE_IN_FRAME:
                found.append(TrueObject(name, "", quad))
        return tuple(found)

    def part(self, first_ns: int, last_ns: int) -> TransformTruth:
        """The truth with the transforms of that time alone."""
        return replace(self, history=self.history.between(first_ns, last_ns))


def transform_truth(options: TruthOptions, reader: BagReader) -> TransformTruth:
    """The truth from the bag's TF topics, the same for every camera.

    Raises:
        BagError: The bag has no transforms or no CameraInfo, or none of the objects' frames.
    """
    history, unreadable = _read(reader)
    refused = history.refused + unreadable
    wanted = {frame_name(name): size for name, size in options.sizes_m.items()}
    missing = sorted(wanted.keys() - history.frames)
    if len(missing) == len(wanted):
        there = ", ".join(sorted(history.frames))
        raise BagError(f"the bag {reader.path} has no frame {missing[0]}, its TF has {there}.")
    turn = np.array([1.0, -1.0 if options.axes == "right_up" else 1.0, 1.0])
    corners = {
        name: object_corners(size) * turn for name, size in wanted.items() if name not in missing
    }
    history = history.restricted_to([*corners, *_camera_frames(reader)])
    max_gap_ns = round(options.max_gap_s * 1e9)
    sentences = [f"TF has no frame {name}, so no truth of it." for name in missing]
    if refused:
        sentences.append(
            f"{refused} transforms were not used: unreadable, not finite or no rotation."
        )
    for name, track in sorted(history.tracks.items()):
        count = track.gaps(max_gap_ns)
        if count:
            sentences.append(
                f"TF has gaps of more than {options.max_gap_s:g} s in the frame {name} ({count}), "
                "no truth in them."
            )
    return TransformTruth(history, corners, max_gap_ns, tuple(sentences))


def _read(reader: BagReader) -> tuple[TransformHistory, int]:
    """All transforms of the bag, and how many messages cannot be read."""
    topics = [name for name, topic in reader.topics.items() if topic.type_name == TF_TYPE]
    if not topics:
        raise BagError(f"the bag {reader.path} has no TF, expected topics of {TF_TYPE}.")
    recorder, unreadable = TransformRecorder(), 0
    for message in reader.messages(topics):
        try:
            content = reader.deserialize(message)
        except BagError:
            unreadable += 1
        else:
            recorder.add(content, message.topic.endswith("tf_static"))
    return recorder.history(), unreadable


def _camera_frames(reader: BagReader) -> set[str]:
    """The frames that the bag's cameras look from."""
    topics = [name for name, topic in reader.topics.items() if topic.type_name == INFO_TYPE]
    if not topics:
        raise BagError(f"the bag {reader.path} has no {INFO_TYPE}, which truth from TF needs.")
    return {
        str(reader.deserialize(message).header.frame_id) for message in reader.messages(topics)
    }


def _seen_quad(
    pose: Pose, corners: FloatArray, intrinsics: PinholeIntrinsics
) -> FloatArray | None:
    """4×2 pixels of the object's corners, None where it is behind or seen from its back."""
    depths = corners @ pose.rotation[2] + pose.translation[2] + intrinsics.optical_offset[2]
    if not (depths > 0).all():
        return None
    quad = project(pose, corners, intrinsics)
    return quad if is_convex_clockwise(quad) else None


def _share_in_frame(quad: FloatArray, seen: SeenFrame) -> float:
    inside = convex_intersection(quad, view_corners(seen.width, seen.height))
    return polygon_area(inside) / polygon_area(quad)
