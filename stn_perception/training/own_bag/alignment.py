# SPDX-License-Identifier: Apache-2.0
"""A first guess at every crop's canonical view: the best of many turns against a template.

The template starts as the one crop that most others can be turned into, and is then the mean of
all that were (congealing, Learned-Miller 2006, over turns and scales alone). The guesses are as
coarse as the turns; they lead the network out of the wrong orientations and are then dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.training.own_bag.config import BagConfig
from stn_perception.training.own_bag.crop_pool import CropPool, Picture
from stn_perception.training.own_bag.warps import cut_upright
from stn_perception.training.strategies.unsupervised_losses import VIEW_OF_BOX
from stn_perception.training.view_axes import cell_centres

Matrix = NDArray[np.float64]

_SIZE = 24
_BLUR_PX = 1.2
# A box about a turned square is up to sqrt(2) larger than the square.
_SCALES = tuple(VIEW_OF_BOX * factor for factor in (2**-0.25, 1.0, 2**0.25))
_ROUNDS = 4
# Enough to choose a template from; every crop is aligned with it afterwards.
_MOST_CANDIDATES = 16
_MOST_COMPARED = 150


@dataclass(frozen=True, eq=False)
class FirstGuesses:
    """A guess for every patch.

    Attributes:
        upright_from_view: float64, N×3×3, normalised axes of the runtime's crop.
        likeness: float64, N: correlation with the template, -1 to 1.
        templates: float32, T×T each, one a class, or one without classes.
    """

    upright_from_view: Matrix
    likeness: NDArray[np.float64]
    templates: tuple[NDArray[np.float32], ...]


def first_guesses(
    pool: CropPool, config: BagConfig, turns: int, given: Picture | None = None
) -> FirstGuesses:
    """Align the patches of each class with one another, or with a given canonical view.

    Args:
        pool: what to align.
        config: margin and context that the patches were cut with.
        turns: how many orientations are tried.
        given: uint8 gray picture of the canonical view, or none.
    """
    poses = _poses(turns, config.box_margin)
    upright_from_view = np.empty((len(pool), 3, 3))
    likeness = np.empty(len(pool))
    templates = []
    for index in range(max(1, len(pool.class_names))):
        members = np.flatnonzero(pool.class_index == index) if pool.class_names else None
        members = np.arange(len(pool)) if members is None else members
        template = (
            _first_template(pool.pixels[members], poses, config.context, turns)
            if given is None
            else _normalized(cv2.resize(given, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA))
        )
        for member in members:
            scores = _looks(pool.pixels[member], poses, config.context) @ template
            best = int(scores.argmax())
            upright_from_view[member], likeness[member] = poses[best], scores[best]
        templates.append(template.reshape(_SIZE, _SIZE))
    return FirstGuesses(upright_from_view, likeness, tuple(templates))


def _first_template(
    patches: NDArray[np.uint8], poses: Matrix, context: float, turns: int
) -> NDArray[np.float32]:
    chosen = np.unique(np.linspace(0, len(patches) - 1, _MOST_COMPARED).astype(int))
    return _congealed(np.stack([_looks(patches[i], poses, context) for i in chosen]), turns)


def _poses(turns: int, margin: float) -> Matrix:
    """upright_from_view of every scale and turn; the first ``turns`` have the first scale."""
    poses = []
    for scale in _SCALES:
        for turn in range(turns):
            angle = 2 * np.pi * turn / turns
            cosine, sine = np.cos(angle) * scale / margin, np.sin(angle) * scale / margin
            poses.append(np.array([(cosine, -sine, 0), (sine, cosine, 0), (0, 0, 1)]))
    return np.stack(poses)


def _looks(patch: Picture, poses: Matrix, context: float) -> NDArray[np.float32]:
    """What a patch looks like in every pose, P×T², comparable by a product."""
    return np.stack([_normalized(cut_upright(patch, pose, context, _SIZE)) for pose in poses])


def _normalized(view: NDArray[Any]) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(view.astype(np.float32), (0, 0), _BLUR_PX)
    axis = cell_centres(_SIZE)
    window = np.clip((1.1 - np.hypot(axis[:, None], axis[None])) / 0.3, 0, 1)
    centred = (smooth - (smooth * window).sum() / window.sum()) * np.sqrt(window)
    return np.asarray(centred.ravel() / (np.linalg.norm(centred) + 1e-6), dtype=np.float32)


def _congealed(looks: NDArray[np.float32], turns: int) -> NDArray[np.float32]:
    """The template that most patches can be turned into; looks are N×P×T²."""
    candidates = np.unique(np.linspace(0, len(looks) - 1, _MOST_CANDIDATES).astype(int))
    starts = looks[candidates, turns]
    likeness = (looks @ starts.T).max(axis=1).mean(axis=0)
    template: NDArray[np.float32] = starts[int(likeness.argmax())]
    for _ in range(_ROUNDS):
        scores = looks @ template
        best = scores.argmax(axis=1)
        weight = np.clip(scores.max(axis=1), 0, 1) ** 2
        mean = (weight[:, None] * looks[np.arange(len(looks)), best]).sum(axis=0)
        template = np.asarray(mean / (np.linalg.norm(mean) + 1e-6), dtype=np.float32)
    return template
