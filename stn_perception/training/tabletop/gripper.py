# SPDX-License-Identifier: Apache-2.0
"""A parallel gripper in pybullet: closes on a body that lies on a table and lifts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pybullet
from numpy.typing import NDArray
from scipy.spatial import ConvexHull  # type: ignore[import-untyped]

from stn_perception.training.tabletop.bodies import Body
from stn_perception.training.tabletop.renderer import Placed

# A two-finger gripper of common size: 85 mm between open fingers, pads 22 mm wide.
OPENING_M = 0.085
FINGER_WIDTH_M = 0.022
_FINGER_THICKNESS_M = 0.010
_FINGER_LENGTH_M = 0.05
_FORCE_N = 30.0
_LIFT_M = 0.12
_STEP_S = 1 / 240
_BODY_KG = 0.1
_FRICTION = 0.8

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Grasp:
    """Where the gripper closes.

    Attributes:
        position: x and y between the fingers, metres.
        closing: unit vector on the table along which the fingers close.
    """

    position: Matrix
    closing: Matrix


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
        _rub(client, table)
        yield client
    finally:
        pybullet.disconnect(physicsClientId=client)


def _rub(client: int, body: int, link: int = -1) -> None:
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
        _rub(client, number, link)
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


def _gripper(client: int, grasp: Grasp, bottom_m: float) -> tuple[int, int]:
    """A base with two sliding fingers, held in the air by a constraint; returns both numbers."""
    half = [_FINGER_THICKNESS_M / 2, FINGER_WIDTH_M / 2, _FINGER_LENGTH_M / 2]
    finger = pybullet.createCollisionShape(
        pybullet.GEOM_BOX, halfExtents=half, physicsClientId=client
    )
    apart = OPENING_M / 2 + half[0]
    yaw = float(np.arctan2(grasp.closing[1], grasp.closing[0]))
    height = bottom_m + _FINGER_LENGTH_M
    start = [*(float(v) for v in grasp.position), height]
    turn = pybullet.getQuaternionFromEuler([0, 0, yaw])
    number = pybullet.createMultiBody(
        1.0,
        -1,
        basePosition=start,
        baseOrientation=turn,
        linkMasses=[0.05, 0.05],
        linkCollisionShapeIndices=[finger, finger],
        linkVisualShapeIndices=[-1, -1],
        linkPositions=[[-apart, 0, -half[2]], [apart, 0, -half[2]]],
        linkOrientations=[[0, 0, 0, 1]] * 2,
        linkInertialFramePositions=[[0, 0, 0]] * 2,
        linkInertialFrameOrientations=[[0, 0, 0, 1]] * 2,
        linkParentIndices=[0, 0],
        linkJointTypes=[pybullet.JOINT_PRISMATIC] * 2,
        linkJointAxis=[[1, 0, 0], [-1, 0, 0]],
        physicsClientId=client,
    )
    for link in range(2):
        _rub(client, number, link)
        pybullet.setJointMotorControl2(
            number, link, pybullet.VELOCITY_CONTROL, force=0, physicsClientId=client
        )
    held = pybullet.createConstraint(
        number,
        -1,
        -1,
        -1,
        pybullet.JOINT_FIXED,
        [0, 0, 0],
        [0, 0, 0],
        start,
        [0, 0, 0, 1],
        turn,
        physicsClientId=client,
    )
    return number, held


def _move(client: int, gripper: int, held: int, position: list[float], yaw: float) -> None:
    turn = pybullet.getQuaternionFromEuler([0, 0, yaw])
    pybullet.changeConstraint(held, position, turn, maxForce=500, physicsClientId=client)


def lifts(client: int, number: int, placed: Placed, grasp: Grasp) -> bool:
    """Close the gripper and lift; return whether the body came up with it.

    Afterwards the body lies where it lay. The gripper comes straight down with open fingers;
    where a finger would come down onto the body, the grasp has failed. It reaches to the table,
    or as far down as its fingers are long.

    Args:
        client: the world.
        number: the body in it.
        placed: the same body, where it lies.
        grasp: where to close.
    """
    pose = pybullet.getBasePositionAndOrientation(number, physicsClientId=client)
    top = float(placed.mesh.vertices[:, 2].max())
    bottom = max(0.003, top - _FINGER_LENGTH_M + 0.005)
    gripper, held = _gripper(client, grasp, bottom)
    try:
        return _closes_and_lifts(client, number, (gripper, held), grasp, bottom)
    finally:
        pybullet.removeBody(gripper, physicsClientId=client)
        pybullet.resetBasePositionAndOrientation(number, *pose, physicsClientId=client)
        pybullet.resetBaseVelocity(number, [0, 0, 0], [0, 0, 0], physicsClientId=client)


def _closes_and_lifts(
    client: int, number: int, hand: tuple[int, int], grasp: Grasp, bottom: float
) -> bool:
    gripper, held = hand
    for link in range(2):
        if pybullet.getClosestPoints(
            gripper, number, 0.0, linkIndexA=link, physicsClientId=client
        ):
            return False
    yaw = float(np.arctan2(grasp.closing[1], grasp.closing[0]))
    x, y = (float(v) for v in grasp.position)
    height = bottom + _FINGER_LENGTH_M
    _move(client, gripper, held, [x, y, height], yaw)
    start = pybullet.getBasePositionAndOrientation(number, physicsClientId=client)[0][2]
    for step in range(480):
        _close(client, gripper)
        if step >= 200:
            share = min(1.0, (step - 200) / 200)
            _move(client, gripper, held, [x, y, height + share * _LIFT_M], yaw)
        pybullet.stepSimulation(physicsClientId=client)
    end = pybullet.getBasePositionAndOrientation(number, physicsClientId=client)[0][2]
    return bool(end - start > 0.6 * _LIFT_M)


def _close(client: int, gripper: int) -> None:
    """Both fingers run at one speed towards the middle and push with a limited force."""
    for link in range(2):
        pybullet.setJointMotorControl2(
            gripper,
            link,
            pybullet.VELOCITY_CONTROL,
            targetVelocity=0.08,
            force=_FORCE_N,
            physicsClientId=client,
        )
