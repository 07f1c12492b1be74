# SPDX-License-Identifier: Apache-2.0
"""Our data as ROS messages, without ROS: works on any object with the message's fields."""

from stn_perception.messages.buffers import bytes_as_array
from stn_perception.messages.camera_info import (
    camera_info_from_virtual_camera,
    intrinsics_from_camera_info,
)
from stn_perception.messages.depth import (
    DEPTH_ENCODINGS,
    DepthImage,
    decode_depth,
    encode_depth,
)
from stn_perception.messages.encodings import (
    CHANNELS,
    ENCODING_OF_COLOR,
    SUPPORTED_ENCODINGS,
    ColorOrder,
)
from stn_perception.messages.factory import MessageFactory, NamespaceFactory, header, time
from stn_perception.messages.images import (
    DecodedImage,
    decode_compressed_image,
    decode_image,
    encode_image,
    raw_image_message,
)
from stn_perception.messages.objects import (
    EXTRA_HYPOTHESES,
    NO_SLOT,
    bounding_box,
    detection,
    detection_array,
    hypothesis_score,
)
from stn_perception.messages.outcomes import DropReason, MessageError
from stn_perception.messages.poses import (
    UNKNOWN_POSE_VARIANCE,
    pose_array,
    pose_from_message,
    pose_message,
    pose_with_covariance,
)
from stn_perception.messages.quaternions import matrix_from_quaternion, quaternion_from_matrix
from stn_perception.messages.regions import (
    BoxOrigin,
    Region,
    RejectedRegion,
    regions_from_detections,
)
from stn_perception.messages.stamps import stamp_ns, time_fields
from stn_perception.messages.transforms import (
    object_transform,
    tf_message,
    transform_stamped,
    view_transform,
)

__all__ = [
    "CHANNELS",
    "DEPTH_ENCODINGS",
    "ENCODING_OF_COLOR",
    "EXTRA_HYPOTHESES",
    "NO_SLOT",
    "SUPPORTED_ENCODINGS",
    "UNKNOWN_POSE_VARIANCE",
    "BoxOrigin",
    "ColorOrder",
    "DecodedImage",
    "DepthImage",
    "DropReason",
    "MessageError",
    "MessageFactory",
    "NamespaceFactory",
    "Region",
    "RejectedRegion",
    "bounding_box",
    "bytes_as_array",
    "camera_info_from_virtual_camera",
    "decode_compressed_image",
    "decode_depth",
    "decode_image",
    "detection",
    "detection_array",
    "encode_depth",
    "encode_image",
    "header",
    "hypothesis_score",
    "intrinsics_from_camera_info",
    "matrix_from_quaternion",
    "object_transform",
    "pose_array",
    "pose_from_message",
    "pose_message",
    "pose_with_covariance",
    "quaternion_from_matrix",
    "raw_image_message",
    "regions_from_detections",
    "stamp_ns",
    "tf_message",
    "time",
    "time_fields",
    "transform_stamped",
    "view_transform",
]
