# SPDX-License-Identifier: Apache-2.0
"""Bodies in a pybullet world with gravity and a table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pybullet
from numpy.typing import NDArray
from scipy.spatial import ConvexHull  # type: ignore[import-untyped]

from stn_perception.training.tabletop.bodies import Body
from stn_perception.training.tabletop.renderer import Placed

_STEP_S = 1 / 240
_BODY_KG = 0.1
_FRICTION = 0.8

Matrix = NDArray[np.float64]


@contextmanager
def world() -> Iterator[int]:
    """A pybullet world with gravity and a table; yields its number."""
    client: int = pybullet.connect(pybullet.DIRECT)
    try:
        pybullet.setGravity(0, 0, -9.81, physicsClientId=client)
        pybullet.setPhysicsEngineParameter(
            numSolverIterations=80, fixedTimeStep=_STEP_S, physicsClientId=client
        )
        table = pybullet.createMultiBody(
            0,
            pybullet.createCollisionShape(
                pybullet.GEOM_BOX, halfExtents=[1, 1, 0.05], physicsClientId=client
            ),
            basePosition=[0, 0, -0.05],
            physicsClientId=client,
        )
        rub(client, table)
        yield client
    finally:
        pybullet.disconnect(physicsClientId=client)


def rub(client: int, body: int, link: int = -1) -> None:
    """Give a body or one of its links the friction of rubber on plastic."""
    pybullet.changeDynamics(
        body,
        link,
        lateralFriction=_FRICTION,
        spinningFriction=0.01,
        rollingFriction=0.0005,
        physicsClientId=client,
    )


def add_body(client: int, placed: Placed) -> int:
    """Put a body into a world, each part as its convex hull; return its number."""
    vertices = [part.mesh.vertices for part in placed.body.parts]
    middle = placed.body.whole.hull.points[placed.body.whole.hull.vertices].mean(axis=0)
    shapes = [
        pybullet.createCollisionShape(
            pybullet.GEOM_MESH,
            vertices=_hull_points(points - middle).tolist(),
            physicsClientId=client,
        )
        for points in vertices
    ]
    links = len(shapes) - 1
    extent = np.ptp(placed.body.whole.vertices, axis=0)
    inertia = _BODY_KG / 12 * (np.sum(extent**2) - extent**2)
    number: int = pybullet.createMultiBody(
        _BODY_KG,
        shapes[0],
        basePosition=(placed.rotation @ middle + placed.shift).tolist(),
        baseOrientation=_quaternion(placed.rotation),
        linkMasses=[1e-4] * links,
        linkCollisionShapeIndices=shapes[1:],
        linkVisualShapeIndices=[-1] * links,
        linkPositions=[[0, 0, 0]] * links,
        linkOrientations=[[0, 0, 0, 1]] * links,
        linkInertialFramePositions=[[0, 0, 0]] * links,
        linkInertialFrameOrientations=[[0, 0, 0, 1]] * links,
        linkParentIndices=[0] * links,
        linkJointTypes=[pybullet.JOINT_FIXED] * links,
        linkJointAxis=[[0, 0, 1]] * links,
        physicsClientId=client,
    )
    pybullet.changeDynamics(
        number, -1, localInertiaDiagonal=inertia.tolist(), physicsClientId=client
    )
    for link in range(-1, links):
        rub(client, number, link)
    return number


def _hull_points(points: Matrix) -> Matrix:
    hull = ConvexHull(points)
    return np.asarray(points[hull.vertices])


def _quaternion(rotation: Matrix) -> list[float]:
    w = np.sqrt(max(0.0, 1 + np.trace(rotation))) / 2
    if w > 1e-3:
        x = (rotation[2, 1] - rotation[1, 2]) / (4 * w)
        y = (rotation[0, 2] - rotation[2, 0]) / (4 * w)
        z = (rotation[1, 0] - rotation[0, 1]) / (4 * w)
        return [float(v) for v in (x, y, z, w)]
    # Half a turn: the axis is the eigenvector of 1.
    values, vectors = np.linalg.eigh((rotation + rotation.T) / 2)
    return [*(float(v) for v in vectors[:, int(np.argmax(values))]), 0.0]


def settled(client: int, number: int, body: Body, steps: int = 240) -> Placed:
    """Let a body come to rest; return it where it lies."""
    for _ in range(steps):
        pybullet.stepSimulation(physicsClientId=client)
    position, turn = pybullet.getBasePositionAndOrientation(number, physicsClientId=client)
    rotation = np.array(pybullet.getMatrixFromQuaternion(turn)).reshape(3, 3)
    middle = body.whole.hull.points[body.whole.hull.vertices].mean(axis=0)
    return Placed(body, rotation, np.array(position) - rotation @ middle)
