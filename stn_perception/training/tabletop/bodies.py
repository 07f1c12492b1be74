# SPDX-License-Identifier: Apache-2.0
"""Random bodies: meshes of pybullet, boxes, cylinders, capsules and what is joined of them."""

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
TO_Y = np.array([(1.0, 0, 0), (0, 0, 1), (0, -1, 0)])  # turns z to y
_Z = np.eye(3)


def random_tone(rng: np.random.Generator) -> float:
    """Return a gray value from nearly black to white."""
    return float(rng.uniform(0.04, 1.0))


def part(
    mesh: Mesh,
    size: tuple[float, float, float],
    at: tuple[float, float, float],
    tone: float,
    turn: NDArray[np.float64] = _Z,
) -> Part:
    """Return a mesh scaled, turned and moved, with its tone."""
    return Part(mesh.scaled(size).placed(turn, np.array(at)), tone)


def random_mesh(rng: np.random.Generator, numbers: tuple[int, ...]) -> Body:
    """Return one of pybullet's thousand random objects."""
    number = numbers[rng.integers(len(numbers))]
    mesh = meshes.read_obj(f"random_urdfs/{number:03d}/{number:03d}.obj")
    size = float(rng.uniform(0.07, 0.13))
    return Body("random mesh", (Part(mesh.scaled((size, size, size)), random_tone(rng)),))


def model(rng: np.random.Generator, names: tuple[str, ...]) -> Body:
    """Return one of pybullet's models of things."""
    size = float(rng.uniform(0.08, 0.13))
    factors = tuple(float(size * f) for f in np.exp(rng.normal(0, 0.15, 3)))
    mesh = meshes.read_obj(names[rng.integers(len(names))])
    return Body(
        "model", (Part(mesh.scaled((factors[0], factors[1], factors[2])), random_tone(rng)),)
    )


def _length(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.05, 0.14))


def _aspect(rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(0, np.log(4.5))))


def block(rng: np.random.Generator) -> Body:
    """Return a box."""
    length = _length(rng)
    size = (length, length / _aspect(rng), length / _aspect(rng))
    return Body("box", (part(meshes.box(), size, (0, 0, 0), random_tone(rng)),))


def can(rng: np.random.Generator) -> Body:
    """Return a cylinder, perhaps tapered: cans, cups, rods, plates."""
    taper = 1.0 if rng.random() < 0.6 else float(round(rng.uniform(0.4, 0.9), 1))
    length = _length(rng)
    wide = length / _aspect(rng)
    size = (wide, wide, length) if rng.random() < 0.75 else (length, length, wide)
    return Body("cylinder", (part(meshes.cylinder(20, taper), size, (0, 0, 0), random_tone(rng)),))


def capsule(rng: np.random.Generator) -> Body:
    """Return a capsule or an egg."""
    tone, length = random_tone(rng), _length(rng)
    if rng.random() < 0.4:
        size = (length, length / _aspect(rng), length / _aspect(rng))
        return Body("egg", (part(meshes.ellipsoid(), size, (0, 0, 0), tone),))
    wide = length / (1.2 + _aspect(rng))
    half = (length - wide) / 2
    ball = (wide, wide, wide)
    return Body(
        "capsule",
        (
            part(meshes.cylinder(16), (wide, wide, length - wide), (0, 0, 0), tone),
            part(meshes.ellipsoid(), ball, (0, 0, half), tone),
            part(meshes.ellipsoid(), ball, (0, 0, -half), tone),
        ),
    )


def compound(rng: np.random.Generator) -> Body:
    """Return two or three boxes and cylinders joined at right angles: L, T, hammer, bottle."""
    length, first = _length(rng), random_tone(rng)
    wide, high = length / rng.uniform(2.5, 7), length / rng.uniform(3, 8)
    parts = [part(meshes.box(), (length, wide, high), (0, 0, 0), first)]
    for _ in range(int(rng.integers(1, 3))):
        across = float(rng.uniform(0.2, 0.9)) * length
        thick = float(rng.uniform(0.12, 0.35)) * length
        at = (float(rng.uniform(-0.5, 0.5)) * length, float(rng.uniform(-0.4, 0.4)) * across, 0.0)
        tone = first if rng.random() < 0.5 else random_tone(rng)
        if rng.random() < 0.5:
            parts.append(part(meshes.box(), (thick, across, high), at, tone))
        else:
            parts.append(part(meshes.cylinder(16), (thick, high, across), at, tone, TO_Y))
    return Body("compound", tuple(parts))


def pan(rng: np.random.Generator) -> Body:
    """Return a disc with a handle: pans, bats, keys."""
    wide, tone = float(rng.uniform(0.05, 0.08)), random_tone(rng)
    high, handle = wide / rng.uniform(2, 6), wide * float(rng.uniform(0.5, 1.4))
    return Body(
        "pan",
        (
            part(meshes.cylinder(20), (wide, wide, high), (0, 0, 0), tone),
            part(
                meshes.box(),
                (handle + wide / 2, wide * float(rng.uniform(0.15, 0.35)), high * 0.7),
                (handle / 2 + wide / 4, 0, 0),
                random_tone(rng),
            ),
        ),
    )


def cross(rng: np.random.Generator) -> Body:
    """Return two bars across each other, off their middles and off the right angle."""
    length, tone = float(rng.uniform(0.08, 0.14)), random_tone(rng)
    wide, high = length * float(rng.uniform(0.1, 0.25)), length * float(rng.uniform(0.1, 0.2))
    angle = float(rng.uniform(np.pi / 3, 2 * np.pi / 3))
    c, s = float(np.cos(angle)), float(np.sin(angle))
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])
    second = (length * float(rng.uniform(0.3, 0.7)), wide, high * 0.9)
    at = (length * float(rng.uniform(-0.3, 0.3)), 0.0, 0.0)
    return Body(
        "cross",
        (
            part(meshes.box(), (length, wide, high), (0, 0, 0), tone),
            part(meshes.box(), second, at, random_tone(rng), turn),
        ),
    )
