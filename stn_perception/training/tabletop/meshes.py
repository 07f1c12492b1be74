# SPDX-License-Identifier: Apache-2.0
"""Triangle meshes: simple bodies made here, and the ones that come with pybullet."""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull  # type: ignore[import-untyped]


@dataclass(frozen=True)
class Mesh:
    """A body's surface.

    Attributes:
        vertices: float64, N×3, metres.
        triangles: int64, M×3, indices of vertices, counter-clockwise from outside.
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int64]

    def placed(self, rotation: NDArray[np.float64], shift: NDArray[np.float64]) -> Mesh:
        """Return the mesh turned (3×3) and then moved (3)."""
        return Mesh(self.vertices @ rotation.T + shift, self.triangles)

    def scaled(self, factors: tuple[float, float, float]) -> Mesh:
        """Return the mesh with x, y and z multiplied."""
        return Mesh(self.vertices * np.array(factors), self.triangles)

    @functools.cached_property
    def hull(self) -> ConvexHull:
        """The convex hull of the vertices."""
        return ConvexHull(self.vertices)


def _lathe(profile: list[tuple[float, float]], sides: int) -> Mesh:
    """Turn a profile of (radius, z), from bottom to top, about z; its ends are closed."""
    angles = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    levels = [np.column_stack([ring * r, np.full(sides, z)]) for r, z in profile]
    bottom, top = (0.0, 0.0, profile[0][1]), (0.0, 0.0, profile[-1][1])
    vertices = np.concatenate([*levels, np.array([bottom, top])])
    i = np.arange(sides)
    j = (i + 1) % sides
    faces = []
    for level in range(len(profile) - 1):
        a, b = level * sides, (level + 1) * sides
        faces += [np.stack([a + i, a + j, b + j], 1), np.stack([a + i, b + j, b + i], 1)]
    last, count = (len(profile) - 1) * sides, len(vertices)
    faces.append(np.stack([j, i, np.full(sides, count - 2)], 1))
    faces.append(np.stack([last + i, last + j, np.full(sides, count - 1)], 1))
    return Mesh(vertices, np.concatenate(faces))


@functools.cache
def box() -> Mesh:
    """Return a cube from -0.5 to 0.5."""
    r = float(np.sqrt(0.5))
    mesh = _lathe([(r, -0.5), (r, 0.5)], 4)
    c = float(np.cos(np.pi / 4))
    return mesh.placed(np.array([(c, -c, 0), (c, c, 0), (0, 0, 1.0)]), np.zeros(3))


@functools.cache
def cylinder(sides: int = 20, taper: float = 1.0) -> Mesh:
    """Return a cylinder of diameter 1 and height 1; ``taper`` is its top's diameter."""
    return _lathe([(0.5, -0.5), (0.5 * taper, 0.5)], sides)


@functools.cache
def ellipsoid(sides: int = 16) -> Mesh:
    """Return a ball of diameter 1."""
    heights = np.linspace(-np.pi / 2, np.pi / 2, 9)[1:-1]
    profile = [(float(np.cos(h)) / 2, float(np.sin(h)) / 2) for h in heights]
    return _lathe([(0.01, -0.5), *profile, (0.01, 0.5)], sides)


@functools.cache
def ring(sides: int = 20, thickness: float = 0.08) -> Mesh:
    """Return a ring of outer diameter 1 in the plane of x and z."""
    around = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    across = np.linspace(0, 2 * np.pi, 5, endpoint=False)
    radius = 0.5 - thickness / 2 * (1 - np.cos(across))
    y = thickness / 2 * np.sin(across)
    x = np.cos(around)[:, None] * radius
    z = np.sin(around)[:, None] * radius
    vertices = np.stack([x, np.broadcast_to(y, x.shape), z], axis=2).reshape(-1, 3)
    i, k = np.meshgrid(np.arange(sides), np.arange(5), indexing="ij")
    a, b = i * 5 + k, ((i + 1) % sides) * 5 + k
    c, d = ((i + 1) % sides) * 5 + (k + 1) % 5, i * 5 + (k + 1) % 5
    faces = np.stack([np.stack([a, b, c], 2), np.stack([a, c, d], 2)])
    return Mesh(vertices, faces.reshape(-1, 3))


def data_folder() -> Path:
    """Return the folder of pybullet's models.

    Raises:
        FileNotFoundError: pybullet is not installed.
    """
    spec = importlib.util.find_spec("pybullet_data")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            "the table-top scenes use pybullet's models: install it (pip install pybullet)"
        )
    return Path(spec.origin).parent


@functools.cache
def read_obj(name: str) -> Mesh:
    """Read a Wavefront file of pybullet's data, centred, with a longest extent of 1.

    Raises:
        FileNotFoundError: it is not there.
    """
    vertices: list[list[float]] = []
    triangles: list[tuple[int, int, int]] = []
    with open(data_folder() / name, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("v "):
                vertices.append([float(v) for v in line.split()[1:4]])
            elif line.startswith("f "):
                corners = [int(part.split("/")[0]) for part in line.split()[1:]]
                corners = [c - 1 if c > 0 else len(vertices) + c for c in corners]
                triangles += [
                    (corners[0], corners[k], corners[k + 1]) for k in range(1, len(corners) - 1)
                ]
    points = np.array(vertices)
    low, high = points.min(axis=0), points.max(axis=0)
    return Mesh((points - (low + high) / 2) / (high - low).max(), np.array(triangles))
