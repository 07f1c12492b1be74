# SPDX-License-Identifier: Apache-2.0
"""What is sent through the nodes: image size, cameras and objects per frame."""

from __future__ import annotations

import re
from dataclasses import dataclass

SIZES_PX = {"vga": (640, 480), "1080p": (1920, 1080)}
_NAME = re.compile(r"(?P<size>[a-z0-9]+)-(?P<objects>\d+)(?:-(?P<cameras>\d+)cams?)?")
_MOST_CAMERAS = 8
_MOST_OBJECTS = 64
DEFAULT_CASES = ("vga-1", "vga-4", "vga-16", "1080p-1", "1080p-4", "1080p-16", "vga-4-4cams")


@dataclass(frozen=True)
class Case:
    """One load.

    Attributes:
        name: Such as ``vga-4`` (one camera, four objects a frame) or ``1080p-4-4cams``.
        width, height: Of the images, in pixels.
        objects: Per frame.
        cameras: Number of cameras, all of which take their pictures at the same moment.
    """

    name: str
    width: int
    height: int
    objects: int
    cameras: int = 1

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Relative names of the cameras."""
        return tuple(f"camera{number}" for number in range(self.cameras))


def case_of(name: str) -> Case:
    """The case that a name means.

    Raises:
        ValueError: It is no such name.
    """
    match = _NAME.fullmatch(name)
    if match is None or match["size"] not in SIZES_PX:
        raise ValueError(
            f"the case is {name!r}, expected <{'|'.join(SIZES_PX)}>-<objects> or "
            "<size>-<objects>-<cameras>cams, such as vga-4 or 1080p-4-4cams"
        )
    objects, cameras = int(match["objects"]), int(match["cameras"] or 1)
    if not (1 <= objects <= _MOST_OBJECTS and 1 <= cameras <= _MOST_CAMERAS):
        raise ValueError(
            f"the case is {name!r}, expected 1 to {_MOST_OBJECTS} objects and 1 to "
            f"{_MOST_CAMERAS} cameras"
        )
    width, height = SIZES_PX[match["size"]]
    return Case(name, width, height, objects, cameras)
