# SPDX-License-Identifier: Apache-2.0
"""Random bodies, of kinds to train on and of kinds to score on."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stn_perception.training.tabletop import meshes
from stn_perception.training.tabletop.meshes import Mesh


@dataclass(frozen=True)
class Part:
    """One mesh of a body with its gray value in [0, 1]."""

    mesh: Mesh
    tone: float


@dataclass(frozen=True)
class Body:
    """An object in its own axes, z up, in metres.

    Attributes:
        kind: what it is, for tables of scores.
        parts: what it is made of.
        lies: whether it may lie on any of its sides; vehicles stand.
    """

    kind: str
    parts: tuple[Part, ...]
    lies: bool = True

    @functools.cached_property
    def whole(self) -> Mesh:
        """All parts as one mesh."""
        starts = np.cumsum([0] + [len(p.mesh.vertices) for p in self.parts[:-1]])
        return Mesh(
            np.concatenate([p.mesh.vertices for p in self.parts]),
            np.concatenate(
                [p.mesh.triangles + s for p, s in zip(self.parts, starts, strict=True)]
            ),
        )


Maker = Callable[[np.random.Generator], Body]
_X = np.array([(0, 0, 1.0), (0, 1, 0), (-1, 0, 0)])  # turns z to x
_Y = np.array([(1.0, 0, 0), (0, 0, 1), (0, -1, 0)])  # turns z to y
_Z = np.eye(3)


def _tone(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.04, 1.0))


def _part(
    mesh: Mesh,
    size: tuple[float, float, float],
    at: tuple[float, float, float],
    tone: float,
    turn: NDArray[np.float64] = _Z,
) -> Part:
    return Part(mesh.scaled(size).placed(turn, np.array(at)), tone)


def random_mesh(rng: np.random.Generator, numbers: tuple[int, ...]) -> Body:
    """Return one of pybullet's thousand random objects."""
    number = numbers[rng.integers(len(numbers))]
    mesh = meshes.read_obj(f"random_urdfs/{number:03d}/{number:03d}.obj")
    size = float(rng.uniform(0.07, 0.13))
    return Body("random mesh", (Part(mesh.scaled((size, size, size)), _tone(rng)),))


def model(rng: np.random.Generator, names: tuple[str, ...]) -> Body:
    """Return one of pybullet's models of things."""
    size = float(rng.uniform(0.08, 0.13))
    factors = tuple(float(size * f) for f in np.exp(rng.normal(0, 0.15, 3)))
    mesh = meshes.read_obj(names[rng.integers(len(names))])
    return Body("model", (Part(mesh.scaled((factors[0], factors[1], factors[2])), _tone(rng)),))


def _length(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.05, 0.14))


def _aspect(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(0, np.log(4.5))))


def block(rng: np.random.Generator) -> Body:
    """Return a box."""
    length = _length(rng)
    size = (length, length / _aspect(rng), length / _aspect(rng))
    return Body("box", (_part(meshes.box(), size, (0, 0, 0), _tone(rng)),))


def can(rng: np.random.Generator) -> Body:
    """Return a cylinder, perhaps tapered: cans, cups, rods, plates."""
    taper = 1.0 if rng.random() < 0.6 else float(round(rng.uniform(0.4, 0.9), 1))
    length = _length(rng)
    wide = length / _aspect(rng)
    size = (wide, wide, length) if rng.random() < 0.75 else (length, length, wide)
    return Body("cylinder", (_part(meshes.cylinder(20, taper), size, (0, 0, 0), _tone(rng)),))


def capsule(rng: np.random.Generator) -> Body:
    """Return a capsule or an egg."""
    tone, length = _tone(rng), _length(rng)
    if rng.random() < 0.4:
        size = (length, length / _aspect(rng), length / _aspect(rng))
        return Body("egg", (_part(meshes.ellipsoid(), size, (0, 0, 0), tone),))
    wide = length / (1.2 + _aspect(rng))
    half = (length - wide) / 2
    ball = (wide, wide, wide)
    return Body(
        "capsule",
        (
            _part(meshes.cylinder(16), (wide, wide, length - wide), (0, 0, 0), tone),
            _part(meshes.ellipsoid(), ball, (0, 0, half), tone),
            _part(meshes.ellipsoid(), ball, (0, 0, -half), tone),
        ),
    )


def compound(rng: np.random.Generator) -> Body:
    """Return two or three boxes and cylinders joined at right angles: L, T, hammer, bottle."""
    length, first = _length(rng), _tone(rng)
    wide, high = length / rng.uniform(2.5, 7), length / rng.uniform(3, 8)
    parts = [_part(meshes.box(), (length, wide, high), (0, 0, 0), first)]
    for _ in range(int(rng.integers(1, 3))):
        across = float(rng.uniform(0.2, 0.9)) * length
        thick = float(rng.uniform(0.12, 0.35)) * length
        at = (float(rng.uniform(-0.5, 0.5)) * length, float(rng.uniform(-0.4, 0.4)) * across, 0.0)
        tone = first if rng.random() < 0.5 else _tone(rng)
        if rng.random() < 0.5:
            parts.append(_part(meshes.box(), (thick, across, high), at, tone))
        else:
            parts.append(_part(meshes.cylinder(16), (thick, high, across), at, tone, _Y))
    return Body("compound", tuple(parts))


def car(rng: np.random.Generator) -> Body:
    """Return a car: hull, cabin with windows, bonnet, wheels; each part has a tone of its own."""
    length = float(rng.uniform(0.10, 0.15))
    wide = length * float(rng.uniform(0.37, 0.5))
    body, cabin, glass = _tone(rng), _tone(rng), _tone(rng)
    if rng.random() < 0.5:
        cabin = body
    low, high = length * float(rng.uniform(0.14, 0.2)), length * float(rng.uniform(0.1, 0.17))
    roof = float(rng.uniform(0.35, 0.65)) * length
    back = float(rng.uniform(-0.17, 0.05)) * length
    parts = [
        _part(meshes.box(), (length, wide, low), (0, 0, low / 2), body),
        _part(meshes.box(), (roof, wide * 0.9, high), (back, 0, low + high / 2), glass),
        _part(meshes.box(), (roof * 0.8, wide * 0.88, 0.003), (back, 0, low + high), cabin),
    ]
    # Softened ends, so that the outline is not a perfect rectangle.
    for sign in (-1, 1):
        size = (wide * float(rng.uniform(0.15, 0.6)), wide * 0.96, low * 0.9)
        parts.append(_part(meshes.cylinder(20), size, (sign * length / 2, 0, low / 2), body))
    if rng.random() < 0.5:
        size = (length * 0.24, wide * 0.85, 0.004)
        parts.append(_part(meshes.box(), size, (length * 0.34, 0, low), _tone(rng)))
    wheel = length * 0.16
    for x in (-0.3, 0.3):
        for side in (-1, 1):
            at = (x * length, side * wide * 0.49, wheel * 0.4)
            size = (wheel, wheel, wide * 0.08)
            parts.append(_part(meshes.cylinder(12), size, at, 0.1, _Y))
    return Body("car", tuple(parts), lies=False)


def bicycle(rng: np.random.Generator) -> Body:
    """Return a bicycle, perhaps with a rider, a basket or a load, perhaps lying."""
    length, tone = float(rng.uniform(0.11, 0.15)), _tone(rng)
    wheel, thin = length * float(rng.uniform(0.36, 0.42)), length * float(rng.uniform(0.02, 0.05))
    x = length / 2 - wheel / 2
    rim, size = meshes.ring(20, 0.1), (wheel, wheel, wheel)
    if rng.random() < 0.3:
        rim, size = meshes.cylinder(20).placed(_Y, np.zeros(3)), (wheel, thin * 1.5, wheel)
    parts = [_part(rim, size, (sign * x, 0, wheel / 2), tone) for sign in (-1, 1)]
    top = wheel * float(rng.uniform(1.0, 1.3))
    parts += [
        _part(meshes.box(), (2 * x, thin, thin), (0, 0, wheel * 0.55), tone),
        _part(meshes.box(), (1.2 * x, thin, thin), (0.2 * x, 0, top), tone),
        _part(meshes.box(), (thin, thin, top * 0.6), (0.8 * x, 0, top * 0.75), tone),
        _part(meshes.box(), (thin, thin, top * 0.7), (-0.45 * x, 0, top * 0.75), tone),
        _part(
            meshes.box(),
            (thin, length * float(rng.uniform(0.2, 0.4)), thin),
            (0.8 * x, 0, top * 1.08),
            _tone(rng) if rng.random() < 0.5 else tone,
        ),
        _part(meshes.box(), (length * 0.14, length * 0.07, thin), (-0.45 * x, 0, top), _tone(rng)),
    ]
    if rng.random() < 0.35:
        size = (length * 0.16, length * 0.2, length * 0.14)
        parts.append(_part(meshes.box(), size, (x, 0, top), _tone(rng)))
    if rng.random() < 0.4:
        size = (length * 0.3, length * 0.26, length * 0.4)
        parts.append(
            _part(meshes.ellipsoid(), size, (-0.3 * x, 0, top + length * 0.2), _tone(rng))
        )
    return Body("bicycle", tuple(parts), lies=bool(rng.random() < 0.15))


def pan(rng: np.random.Generator) -> Body:
    """Return a disc with a handle: pans, bats, keys."""
    wide, tone = float(rng.uniform(0.05, 0.08)), _tone(rng)
    high, handle = wide / rng.uniform(2, 6), wide * float(rng.uniform(0.5, 1.4))
    return Body(
        "pan",
        (
            _part(meshes.cylinder(20), (wide, wide, high), (0, 0, 0), tone),
            _part(
                meshes.box(),
                (handle + wide / 2, wide * float(rng.uniform(0.15, 0.35)), high * 0.7),
                (handle / 2 + wide / 4, 0, 0),
                _tone(rng),
            ),
        ),
    )


def cross(rng: np.random.Generator) -> Body:
    """Return two bars across each other, off their middles and off the right angle."""
    length, tone = float(rng.uniform(0.08, 0.14)), _tone(rng)
    wide, high = length * float(rng.uniform(0.1, 0.25)), length * float(rng.uniform(0.1, 0.2))
    angle = float(rng.uniform(np.pi / 3, 2 * np.pi / 3))
    c, s = float(np.cos(angle)), float(np.sin(angle))
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])
    second = (length * float(rng.uniform(0.3, 0.7)), wide, high * 0.9)
    at = (length * float(rng.uniform(-0.3, 0.3)), 0.0, 0.0)
    return Body(
        "cross",
        (
            _part(meshes.box(), (length, wide, high), (0, 0, 0), tone),
            _part(meshes.box(), second, at, _tone(rng), turn),
        ),
    )


def lorry(rng: np.random.Generator) -> Body:
    """Return a lorry: a cab and a load, a gap between them."""
    length = float(rng.uniform(0.11, 0.16))
    wide, high = length * float(rng.uniform(0.28, 0.4)), length * float(rng.uniform(0.25, 0.35))
    cab = length * float(rng.uniform(0.2, 0.3))
    load = length * 0.96 - cab
    return Body(
        "lorry",
        (
            _part(
                meshes.box(), (load, wide, high), ((load - length) / 2, 0, high / 2), _tone(rng)
            ),
            _part(
                meshes.box(),
                (cab, wide * 0.94, high * 0.8),
                ((length - cab) / 2, 0, high * 0.4),
                _tone(rng),
            ),
            _part(meshes.box(), (length, wide * 0.7, high * 0.2), (0, 0, high * 0.1), _tone(rng)),
        ),
        lies=False,
    )


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
