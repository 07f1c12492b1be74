# SPDX-License-Identifier: Apache-2.0
"""What goes into the pipeline: one frame of one camera with its boxes."""

from __future__ import annotations

from dataclasses import dataclass

from stn_perception.geometry.boxes import AxisAlignedBox
from stn_perception.geometry.intrinsics import PinholeIntrinsics
from stn_perception.messages.regions import Region, RejectedRegion
from stn_perception.runtime.frame import DepthFrame, Frame


@dataclass(frozen=True, eq=False)
class FrameRequest:
    """A frame and what to look at in it.

    Attributes:
        camera: Name of the camera; tracks belong to it.
        frame: The image.
        regions: Boxes in pixels of the frame; rejected ones travel along, so that their
            outcome is reported with the others'.
        intrinsics: Of the rectified image; None where the camera is not calibrated.
        depth: Depth image of the frame's size, aligned to it, or None.
    """

    camera: str
    frame: Frame
    regions: tuple[Region | RejectedRegion, ...] = ()
    intrinsics: PinholeIntrinsics | None = None
    depth: DepthFrame | None = None

    def __post_init__(self) -> None:
        """Check that depth and intrinsics are of the frame's size."""
        size = (self.frame.width, self.frame.height)
        if self.depth is not None:
            height, width = self.depth.meters.shape
            if (width, height) != size:
                raise ValueError(
                    f"the depth image is {width}×{height}, "
                    f"expected the frame's {size[0]}×{size[1]}"
                )
        if self.intrinsics is not None:
            calibrated = (self.intrinsics.width, self.intrinsics.height)
            if calibrated != size:
                raise ValueError(
                    f"the intrinsics are of a {calibrated[0]}×{calibrated[1]} image, expected the "
                    f"frame's {size[0]}×{size[1]}"
                )


def full_frame_region(frame: Frame) -> Region:
    """The whole frame as one region."""
    box = AxisAlignedBox(
        center_x=(frame.width - 1) / 2,
        center_y=(frame.height - 1) / 2,
        width=float(frame.width),
        height=float(frame.height),
    )
    return Region(box=box, id="", class_id="", score=1.0)
