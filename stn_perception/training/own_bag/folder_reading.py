# SPDX-License-Identifier: Apache-2.0
"""Crops from a folder of pictures, one folder a class, each picture as a whole."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from stn_perception.bags.reader import STORAGE_SUFFIXES
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.requests import full_frame_region
from stn_perception.training.own_bag.bag_reading import Report, thinned
from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.own_bag.crop_pool import Patch, cut_patch
from stn_perception.training.own_bag.errors import OwnBagError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def is_picture_folder(path: Path) -> bool:
    """Whether this is a folder of pictures and no bag."""
    if not path.is_dir() or (path / "metadata.yaml").is_file():
        return False
    if any(file.suffix in STORAGE_SUFFIXES for file in path.iterdir()):
        return False
    return any(_pictures(path))


def read_folder(config: BagConfig, patch_px: int, progress: Report) -> tuple[list[Patch], str]:
    """Read a folder's pictures, those in folders in it as classes of the folders' names.

    Args:
        config: path, and how much to keep.
        patch_px: side of the patches in their own pixels.
        progress: called with pictures done and pictures wanted.

    Returns:
        The patches in the order of their names, and what became of the rest.

    Raises:
        OwnBagError: none can be read.
    """
    files = _pictures(config.path)
    if config.only:
        files = [f for f in files if config.only in (f.stem, _class_of(f, config.path))]
    wanted = thinned(files, config.max_crops)
    patches: list[Patch] = []
    for index, file in enumerate(wanted):
        progress(index + 1, len(wanted))
        pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        if pixels is None:
            continue
        picture = np.asarray(pixels, dtype=np.uint8)
        box = full_frame_region(Frame(picture, "gray")).box
        cut, half_size = cut_patch(picture, box, config.box_margin * config.context, patch_px)
        patches.append(Patch(cut, half_size, index, file.stem, _class_of(file, config.path)))
    unreadable = len(wanted) - len(patches)
    if not patches:
        raise OwnBagError(f"none of the {unreadable} pictures in {config.path} can be read")
    note = f", {unreadable} unreadable" if unreadable else ""
    return patches, f"{len(patches)} crops of {len(files)} pictures in {config.path}{note}"


def _pictures(folder: Path) -> list[Path]:
    found = [*folder.glob("*"), *folder.glob("*/*")]
    return sorted(f for f in found if f.is_file() and f.suffix.lower() in PICTURE_SUFFIXES)


def _class_of(file: Path, folder: Path) -> str:
    return "" if file.parent == folder else file.parent.name
