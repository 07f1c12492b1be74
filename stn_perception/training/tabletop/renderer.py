# SPDX-License-Identifier: Apache-2.0
"""Bodies into pictures, masks and depth by pybullet's software renderer, without a display."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
import pybullet
from numpy.typing import NDArray

from stn_perception.training.tabletop.bodies import Body
from stn_perception.training.tabletop.meshes import Mesh

NEAR_M, FAR_M = 0.05, 5.0
# Larger meshes are shaded smoothly: the renderer takes a limited number of vertices.
_FLAT_TRIANGLES = 1500

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole camera with square pixels.

    Attributes:
        rotation: camera_from_world, 3×3; x right, y down, z forward.
        position: in the world, 3, metres.
        focal_px: focal length.
        size_px: width and height of its square picture.
    """

    rotation: Matrix
    position: Matrix
    focal_px: float
    size_px: int

    def project(self, points: Matrix) -> Matrix:
        """Return pixels, N×2, of world points, N×3, in front of the camera."""
        own = (points - self.position) @ self.rotation.T
        return own[:, :2] / own[:, 2:] * self.focal_px + (self.size_px - 1) / 2

    def depths(self, points: Matrix) -> Matrix:
        """Return how far world points, N×3, lie along the optical axis, N, metres."""
        return np.asarray((points - self.position) @ self.rotation[2])

    def ray(self, pixel: Matrix) -> Matrix:
        """Return a pixel's direction in the world, 3, with a depth of one metre."""
        middle = (self.size_px - 1) / 2
        own = np.array([(pixel[0] - middle), (pixel[1] - middle), self.focal_px]) / self.focal_px
        return np.asarray(own @ self.rotation)


def looking_at(
    target: Matrix, distance: float, pitch_rad: float, yaw_rad: float, roll_rad: float
) -> tuple[Matrix, Matrix]:
    """Return rotation and position of a camera that looks at a point of the world.

    Args:
        target: 3, metres.
        distance: from it, metres.
        pitch_rad: downwards; π/2 looks straight down.
        yaw_rad: about the vertical.
        roll_rad: about the optical axis.
    """
    c, s = np.cos(pitch_rad), np.sin(pitch_rad)
    forward = np.array([np.cos(yaw_rad) * c, np.sin(yaw_rad) * c, -s])
    right = np.array([np.sin(yaw_rad), -np.cos(yaw_rad), 0.0])
    down = np.cross(forward, right)
    c, s = np.cos(roll_rad), np.sin(roll_rad)
    rotation = np.stack([c * right + s * down, -s * right + c * down, forward])
    return rotation, target - forward * distance


@dataclass(frozen=True)
class Placed:
    """A body with its pose: world = rotation @ own + shift."""

    body: Body
    rotation: Matrix
    shift: Matrix

    @property
    def mesh(self) -> Mesh:
        """All of it in the world."""
        return self.body.whole.placed(self.rotation, self.shift)


@dataclass(frozen=True)
class Rendering:
    """What a camera sees.

    Attributes:
        gray: float32 H×W in [0, 255].
        owner: int32 H×W: the place of the body in its list, -1 for the table, -2 for nothing.
        depth_m: float32 H×W along the optical axis; ``FAR_M`` where there is nothing.
    """

    gray: NDArray[np.float32]
    owner: NDArray[np.int32]
    depth_m: NDArray[np.float32]


class Renderer:
    """One pybullet world to render in; a context manager."""

    def __init__(self) -> None:
        self._client: int = pybullet.connect(pybullet.DIRECT)
        if self._client < 0:
            raise RuntimeError("pybullet gave no world to render in, expected a free client")
        self._vertices, self._normals = _Rows(), _Rows()

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pybullet.disconnect(physicsClientId=self._client)

    def render(
        self,
        placed: Sequence[Placed],
        camera: Camera,
        light: Matrix,
        shadow: bool,
        table: bool = True,
        ambient: float = 0.6,
    ) -> Rendering:
        """Render bodies on a white table.

        Args:
            placed: the bodies.
            camera: what looks at them.
            light: direction towards the light, 3.
            shadow: whether they cast shadows.
            table: whether there is a table at z = 0.
            ambient: share of the light that comes from everywhere.
        """
        owners: dict[int, int] = {}
        if table:
            owners[self._table()] = -1
        for place, one in enumerate(placed):
            for number in self._spawn(one):
                owners[number] = place
        size = camera.size_px
        _, _, rgb, depth, owner = pybullet.getCameraImage(
            size,
            size,
            _view_matrix(camera),
            _projection_matrix(camera),
            lightDirection=light.tolist(),
            lightDistance=2.0,
            lightAmbientCoeff=ambient,
            lightDiffuseCoeff=1.0 - ambient,
            lightSpecularCoeff=0.05,
            shadow=int(shadow),
            renderer=pybullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        pybullet.resetSimulation(physicsClientId=self._client)
        pixels = np.reshape(rgb, (size, size, 4))
        buffer = np.reshape(depth, (size, size)).astype(np.float64)
        table_of = np.full(max(owners, default=0) + 2, -2, np.int32)
        for number, place in owners.items():
            table_of[number] = place
        return Rendering(
            gray=pixels[:, :, 1].astype(np.float32),
            owner=table_of[np.reshape(owner, (size, size))],
            depth_m=(FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * buffer)).astype(np.float32),
        )

    def _table(self) -> int:
        shape = pybullet.createVisualShape(
            pybullet.GEOM_BOX,
            halfExtents=[3, 3, 0.005],
            rgbaColor=[1, 1, 1, 1],
            physicsClientId=self._client,
        )
        number: int = pybullet.createMultiBody(
            0, -1, shape, [0, 0, -0.005], physicsClientId=self._client
        )
        return number

    def _spawn(self, one: Placed) -> list[int]:
        numbers = []
        for part in one.body.parts:
            mesh = part.mesh.placed(one.rotation, one.shift)
            vertices, indices, normals = _surface(mesh)
            lists: dict[str, list[Any]] = {
                "vertices": self._vertices.holding(vertices),
                "indices": indices.tolist(),
                "normals": self._normals.holding(normals),
                "uvs": [[0.0, 0.0]] * len(vertices),
            }
            shape = pybullet.createVisualShape(
                pybullet.GEOM_MESH,
                rgbaColor=[part.tone, part.tone, part.tone, 1.0],
                specularColor=[0, 0, 0],
                physicsClientId=self._client,
                **lists,
            )
            for unreleased in lists.values():
                unreleased.clear()
            numbers.append(pybullet.createMultiBody(0, -1, shape, physicsClientId=self._client))
        return numbers


class _Rows:
    """Rows of three numbers for pybullet to read, used over and over again.

    pybullet 3.2.7 copies a mesh out of the lists it is given and never releases them, nor their
    rows: half a kilobyte a vertex, gigabytes in a thousand frames.
    """

    def __init__(self) -> None:
        self._rows: list[list[float]] = []

    def holding(self, values: Matrix) -> list[list[float]]:
        """Return N×3 values as rows, which hold them until the next call."""
        self._rows.extend([] for _ in range(len(values) - len(self._rows)))
        rows = self._rows[: len(values)]
        for row, value in zip(rows, values.tolist(), strict=True):
            row[:] = value
        return rows


def _surface(mesh: Mesh) -> tuple[Matrix, NDArray[np.int64], Matrix]:
    """Vertices, indices and normals as the renderer takes them."""
    corners = mesh.vertices[mesh.triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if len(mesh.triangles) <= _FLAT_TRIANGLES:
        normals = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
        return corners.reshape(-1, 3), np.arange(corners.shape[0] * 3), np.repeat(normals, 3, 0)
    smooth = np.zeros_like(mesh.vertices)
    for k in range(3):
        np.add.at(smooth, mesh.triangles[:, k], faces)
    smooth /= np.maximum(np.linalg.norm(smooth, axis=1, keepdims=True), 1e-12)
    return mesh.vertices, mesh.triangles.reshape(-1), smooth


def _view_matrix(camera: Camera) -> list[float]:
    # OpenGL's camera looks along -z with y up; matrices go column by column.
    rotation = np.diag([1.0, -1.0, -1.0]) @ camera.rotation
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = -rotation @ camera.position
    return [float(v) for v in matrix.T.ravel()]


def _projection_matrix(camera: Camera) -> list[float]:
    scale = 2 * camera.focal_px / camera.size_px
    depth = FAR_M - NEAR_M
    # The renderer samples each pixel at its left and lower edge; half a pixel brings the samples
    # to the centres (measured on the masks of lone bodies, and held by a test).
    half_pixel = 1 / camera.size_px
    matrix = np.array(
        [
            (scale, 0, half_pixel, 0),
            (0, scale, half_pixel, 0),
            (0, 0, -(FAR_M + NEAR_M) / depth, -2 * FAR_M * NEAR_M / depth),
            (0, 0, -1, 0),
        ]
    )
    return [float(v) for v in matrix.T.ravel()]
