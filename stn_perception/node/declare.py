# SPDX-License-Identifier: Apache-2.0
"""Declare the parameters with ROS and keep ROS and the validated model in agreement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)

from stn_perception.runtime.parameters.parameter_table import ParameterSpec, RosValue, ros_values
from stn_perception.runtime.parameters.parameters import PARAMETERS, NodeParameters, ParameterError

_OF_EVERY_NODE = ("use_sim_time", "start_type_description_service")
QOS_OVERRIDES = "qos_overrides."


def take_overrides(node: Any) -> tuple[NodeParameters, list[str]]:
    """Read and validate what the command line and files give, and declare all parameters.

    rclpy has no public way to learn the names given: declaring them automatically fails on an
    empty list and loses the descriptions, so its own record of the overrides is read.

    Returns:
        The validated parameters, and the names given that override quality of service (their
        topics can only be judged once the endpoints' names are known).

    Raises:
        ParameterError: One sentence about unknown names or impossible values.
    """
    given = {name: parameter.value for name, parameter in node._parameter_overrides.items()}
    overrides = sorted(name for name in given if name.startswith(QOS_OVERRIDES))
    own = {
        name: _plain(value)
        for name, value in given.items()
        if name not in overrides and name not in _OF_EVERY_NODE
    }
    parameters = NodeParameters.from_ros(own)
    values = ros_values(parameters)
    for name, spec in PARAMETERS.items():
        node.declare_parameter(name, values[name], descriptor(spec), ignore_override=True)
    return parameters, overrides


def check_qos_overrides(given: Sequence[str], known: Collection[str]) -> None:
    """Refuse overrides of endpoints or policies that the node does not have.

    Raises:
        ParameterError: One sentence with the first such name and what would be possible.
    """
    for name in given:
        if name not in known:
            topics = sorted({other.removeprefix(QOS_OVERRIDES).split(".")[0] for other in known})
            raise ParameterError(
                f"Unknown parameter '{name}', expected qos_overrides.<topic>."
                "<publisher|subscription>.<history|depth|reliability|durability> with a topic of "
                f"{', '.join(topics)}."
            )


def watch_changes(
    node: Any, current: Callable[[], NodeParameters], apply: Callable[[NodeParameters], None]
) -> None:
    """Validate every change as a whole; a bad one is refused with the reason, nothing changes.

    Args:
        node: The rclpy node whose parameters are declared.
        current: Gives the running parameters.
        apply: Called with the new ones; raising ParameterError refuses them.
    """

    def on_set(changes: Sequence[Any]) -> SetParametersResult:
        own = {
            change.name: _plain(change.value) for change in changes if change.name in PARAMETERS
        }
        if not own:
            return SetParametersResult(successful=True)
        try:
            apply(NodeParameters.from_ros({**ros_values(current()), **own}))
        except ParameterError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(on_set)


def descriptor(spec: ParameterSpec) -> ParameterDescriptor:
    """ROS's description of one parameter."""
    described = ParameterDescriptor(
        description=spec.description,
        read_only=spec.read_only,
        additional_constraints=(
            f"one of {', '.join(map(str, spec.choices))}" if spec.choices else ""
        ),
    )
    if spec.lower is None or spec.upper is None:
        return described
    if isinstance(spec.default, float):
        described.floating_point_range = [
            FloatingPointRange(from_value=float(spec.lower), to_value=float(spec.upper), step=0.0)
        ]
    else:
        described.integer_range = [
            IntegerRange(from_value=int(spec.lower), to_value=int(spec.upper), step=0)
        ]
    return described


def _plain(value: Any) -> RosValue:
    """A parameter's value without rclpy's array types; whole numbers may stand for reals."""
    if isinstance(value, (bool, int, float, str)):
        return value
    if value is None:
        return []
    items: list[Any] = list(value)
    return items
