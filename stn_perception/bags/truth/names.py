# SPDX-License-Identifier: Apache-2.0
"""Names of cameras, and places in options that stand for them."""

from __future__ import annotations

from pathlib import Path


def same_camera(first: str, second: str) -> bool:
    """Whether two names are one camera's; a slash in front does not count."""
    return first.strip("/") == second.strip("/")


def filled_topic(topic: str, camera: str) -> str:
    """The topic with the camera's name in the place of ``{camera}``."""
    return topic.replace("{camera}", camera.strip("/"))


def filled_path(path: str, bag: Path, camera: str) -> Path:
    """The path with the bag's folder and the camera's name in their places."""
    folder = bag if bag.is_dir() else bag.parent
    filled = path.replace("{bag}", str(folder)).replace("{camera}", camera.strip("/"))
    return Path(filled).expanduser()
