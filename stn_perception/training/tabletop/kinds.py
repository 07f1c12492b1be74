# SPDX-License-Identifier: Apache-2.0
"""Which bodies are trained on and which are kept to score on."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from stn_perception.training.tabletop.bodies import (
    Body,
    Maker,
    block,
    can,
    capsule,
    compound,
    cross,
    model,
    pan,
    random_mesh,
)
from stn_perception.training.tabletop.vehicles import bicycle, car, lorry

# Number 168 has vertices that are no numbers; its neighbour stands in for it.
_TRAINING_NUMBERS = tuple(167 if n == 168 else n for n in range(1000) if n % 5 != 4)
_HELD_OUT_NUMBERS = tuple(n for n in range(1000) if n % 5 == 4)
_TRAINING_MODELS = ("duck_vhacd.obj", "bunny.obj", "jenga/jenga.obj", "soccerball.obj")
_HELD_OUT_MODELS = (
    "objects/mug.obj",
    "lego/lego.obj",
    "domino/domino.obj",
    "teddy2_VHACD_CHs.obj",
    "torus/torus_textured.obj",
)


@dataclass(frozen=True)
class Kinds:
    """Bodies to draw from.

    Attributes:
        makers: what makes one, with its share.
        text: what they are, for the card.
    """

    makers: tuple[tuple[Maker, float], ...]
    text: str

    def draw(self, rng: np.random.Generator) -> Body:
        """Make a random body."""
        shares = np.array([share for _, share in self.makers])
        return self.makers[int(rng.choice(len(shares), p=shares / shares.sum()))][0](rng)


TRAINING = Kinds(
    makers=(
        (functools.partial(random_mesh, numbers=_TRAINING_NUMBERS), 0.30),
        (functools.partial(model, names=_TRAINING_MODELS), 0.05),
        (block, 0.14),
        (can, 0.10),
        (capsule, 0.07),
        (compound, 0.12),
        (car, 0.12),
        (bicycle, 0.10),
    ),
    text=(
        "pybullet's random objects with a number n where n mod 5 is not 4, its duck, bunny, jenga "
        "block and football; made boxes, cylinders, cones, capsules, eggs, compounds, cars and "
        "bicycles"
    ),
)

HELD_OUT = Kinds(
    makers=(
        (functools.partial(random_mesh, numbers=_HELD_OUT_NUMBERS), 0.6),
        (functools.partial(model, names=_HELD_OUT_MODELS), 0.14),
        (pan, 0.09),
        (cross, 0.08),
        (lorry, 0.09),
    ),
    text=(
        "pybullet's random objects with a number n where n mod 5 is 4, its mug, lego brick, "
        "domino, teddy bear and torus; made pans, crosses and lorries"
    ),
)
