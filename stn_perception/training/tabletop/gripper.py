# SPDX-License-Identifier: Apache-2.0
"""A parallel gripper in pybullet: closes on a body that lies on a table and lifts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pybullet
from numpy.typing import NDArray

from stn_perception.training.tabletop.physics import rub
from stn_perception.training.tabletop.renderer import Placed

# A two-finger gripper of common size: 85 mm between open fingers, pads 22 mm wide.
OPENING_M = 0.085
FINGER_WIDTH_M = 0.022
_FINGER_THICKNESS_M = 0.010
_FINGER_LENGTH_M = 0.05
_FORCE_N = 30.0
_LIFT_M = 0.12

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
        rub(client, number, link)
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
