# SPDX-License-Identifier: Apache-2.0
"""Everything a run trains on, read and checked: crops, those kept from training, the template."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from stn_perception.bags import BagError
from stn_perception.training.config import TrainingConfig
from stn_perception.training.own_bag.bag_reading import Report, read_bag
from stn_perception.training.own_bag.crop_pool import CropPool, Patch, Picture, pool_of
from stn_perception.training.own_bag.errors import OwnBagError
from stn_perception.training.own_bag.folder_reading import is_picture_folder, read_folder

# Fewer do not show an object from enough sides to learn its own view.
LEAST_CROPS = 8
LEAST_OF_A_CLASS = 2


@dataclass(frozen=True, eq=False)
class OwnCrops:
    """What a run trains on.

    Attributes:
        training: patches to learn from.
        held_out: patches kept from training.
        sentence: what became of the recording's frames and boxes.
        given_template: uint8 gray picture of the canonical view, or none.
    """

    training: CropPool
    held_out: CropPool
    sentence: str
    given_template: Picture | None = None


def read_own_crops(
    config: TrainingConfig, progress: Report = lambda done, total: None
) -> OwnCrops:
    """Read what ``config.bag`` names.

    Args:
        config: of the run.
        progress: called with frames done and frames wanted.

    Raises:
        OwnBagError: the recording cannot be read, there are too few crops, a class has too few,
            or the template is no picture.
    """
    bag, unsupervised = config.bag, config.unsupervised
    assert bag is not None
    patch_px = patch_side_px(config.network.input_size, bag.context)
    if is_picture_folder(bag.path):
        patches, sentence = read_folder(bag, patch_px, progress)
    else:
        try:
            patches, report = read_bag(bag, patch_px, progress)
        except BagError as error:
            raise OwnBagError(str(error).rstrip(".")) from error
        sentence = report.sentence()
    if len(patches) < LEAST_CROPS:
        raise OwnBagError(
            f"{bag.path} gives {len(patches)} crops, expected at least {LEAST_CROPS} ({sentence})"
        )
    if unsupervised.classes > 0:
        patches = _of_classes(patches, bag.class_names, str(bag.path))
    pool = pool_of(patches, bag.class_names)
    kept = np.arange(len(pool)) % bag.held_out_every == bag.held_out_every - 1
    if not kept.any():
        kept[-1] = True
    return OwnCrops(
        training=pool.subset(np.flatnonzero(~kept)),
        held_out=pool.subset(np.flatnonzero(kept)),
        sentence=f"{sentence}; {int(kept.sum())} of them are kept from training",
        given_template=_template(unsupervised.template_image),
    )


def patch_side_px(input_size: int, context: float) -> int:
    """Return the side at which patches are kept: half as fine again as the network's crops."""
    return int(np.ceil(1.5 * input_size * context / 2) * 2)


def _of_classes(patches: list[Patch], names: tuple[str, ...], where: str) -> list[Patch]:
    """The patches of the named classes.

    Raises:
        OwnBagError: one of them has too few.
    """
    there = sorted({patch.class_id for patch in patches if patch.class_id})
    for name in names:
        count = sum(patch.class_id == name for patch in patches)
        if count < LEAST_OF_A_CLASS:
            crops = "one crop" if count == 1 else "no crop"
            raise OwnBagError(
                f"the class {name!r} has {crops} in {where}, expected at least "
                f"{LEAST_OF_A_CLASS} of each for the classification loss (classes there: "
                f"{', '.join(there) or 'none'})"
            )
    return [patch for patch in patches if patch.class_id in names]


def _template(path: object) -> Picture | None:
    if path is None:
        return None
    picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise OwnBagError(f"the template {path} is missing or no picture")
    return np.asarray(picture, dtype=np.uint8)
