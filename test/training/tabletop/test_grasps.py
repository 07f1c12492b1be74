# SPDX-License-Identifier: Apache-2.0
"""The simulated gripper lifts what it holds, and nothing else."""

import numpy as np
import pytest

from stn_perception.training.tabletop import gripper, physics
from stn_perception.training.tabletop.bodies import Body, Part
from stn_perception.training.tabletop.grasps import grasp_of, is_graspable, trial
from stn_perception.training.tabletop.gripper import Grasp
from stn_perception.training.tabletop.meshes import box
from stn_perception.training.tabletop.renderer import Placed, Renderer


def bar(length: float, width: float, yaw: float) -> Placed:
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([(c, -s, 0), (s, c, 0), (0, 0, 1)])
    body = Body("bar", (Part(box().scaled((length, width, 0.04)), 0.5),))
    return Placed(body, turn, np.array([0.02, -0.01, 0.021]))


def lifted(placed: Placed, closing_rad: float) -> bool:
    with physics.world() as client:
        number = physics.add_body(client, placed)
        rest = physics.settled(client, number, placed.body)
        closing = np.array([np.cos(closing_rad), np.sin(closing_rad)])
        first = gripper.lifts(client, number, rest, Grasp(rest.shift[:2], closing))
        # The body lies where it lay, so the same grasp ends the same way.
        again = gripper.lifts(client, number, rest, Grasp(rest.shift[:2], closing))
        assert first == again
        return first


def test_a_bar_is_lifted_across_and_not_along() -> None:
    for yaw in (0.0, 0.7, 2.0):
        assert lifted(bar(0.16, 0.05, yaw), yaw + np.pi / 2)
        assert not lifted(bar(0.16, 0.05, yaw), yaw)
        # A finger comes down onto the bar.
        assert not lifted(bar(0.16, 0.05, yaw), yaw + np.pi / 2 + 1.0)


def test_what_is_wider_than_the_gripper_is_no_trial() -> None:
    assert is_graspable(bar(0.16, 0.05, 0.3))
    assert not is_graspable(bar(0.16, 0.09, 0.3))


def test_the_true_box_holds_unseen_bodies() -> None:
    held, tried = 0, 0
    with Renderer() as renderer:
        for number in range(16):
            with physics.world() as client:
                found = trial(np.random.default_rng([2, number]), client, renderer)
                if found is None:
                    continue
                body, one = found
                tried += 1
                grasp = grasp_of(one.sample.truth.corners, one)
                assert np.linalg.norm(grasp.closing) == pytest.approx(1.0)
                held += gripper.lifts(client, body, one.placed, grasp)
    assert tried >= 5
    assert held >= tried - 1
