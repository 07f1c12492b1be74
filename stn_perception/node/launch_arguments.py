# SPDX-License-Identifier: Apache-2.0
"""Arguments that the launch files and ``stn run`` share; data alone, importable without ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LaunchArgument:
    """One argument of the launch files, which is ``--name`` (with dashes) of ``stn run``.

    Attributes:
        name: As in ``name:=value``.
        default: Its value when it is not given; "" leaves the choice to the parameter file.
        description: One sentence.
        parameter: The node's parameter that it sets; "" where it is no parameter.
    """

    name: str
    default: str
    description: str
    parameter: str = ""


PARAMS_FILE = LaunchArgument(
    "params_file", "", "Parameter file; without one, the node's defaults hold."
)
NAMESPACE = LaunchArgument("namespace", "", "Namespace of the node and its topics.")
MODEL = LaunchArgument("model", "", "Shipped model's name or path of an archive.", "model")
DEVICE = LaunchArgument("device", "", "auto, cpu, cuda or cuda:N.", "device")
CAMERAS = LaunchArgument(
    "cameras", "", "Camera names with commas between them, e.g. front,rear.", "cameras"
)
IMAGE_TRANSPORT = LaunchArgument(
    "image_transport", "", "raw or compressed, as the images come.", "image_transport"
)
USE_SIM_TIME = LaunchArgument(
    "use_sim_time", "", "true: take the time from /clock (bags, simulators).", "use_sim_time"
)
LOG_LEVEL = LaunchArgument("log_level", "info", "debug, info, warn, error or fatal.")
AUTOSTART = LaunchArgument(
    "autostart", "", "false: wait for a lifecycle manager instead of starting.", "autostart"
)

CANONICALIZER_ARGUMENTS: tuple[LaunchArgument, ...] = (
    PARAMS_FILE,
    NAMESPACE,
    MODEL,
    DEVICE,
    CAMERAS,
    IMAGE_TRANSPORT,
    USE_SIM_TIME,
    LOG_LEVEL,
    AUTOSTART,
)

BAG = LaunchArgument("bag", "", "The rosbag2 folder or file to play.")
RATE = LaunchArgument("rate", "1.0", "Playing speed; 2.0 is twice as fast.")
LOOP = LaunchArgument("loop", "false", "true: start again at the end, for ever.")
START = LaunchArgument("start", "0.0", "Seconds to skip at the beginning.")
DURATION = LaunchArgument("duration", "", "Seconds to play; without it, to the end.")
RVIZ = LaunchArgument("rviz", "false", "true: show the results in RViz.")

PLAYER_ARGUMENTS: tuple[LaunchArgument, ...] = (BAG, RATE, LOOP, START, DURATION)


def player_command_line(arguments: Mapping[str, str]) -> list[str]:
    """Command line of ``bag_player_node`` for the arguments of the replay.

    It begins once the node has subscribed to what the bag holds, or after the player's own
    patience.

    Raises:
        ValueError: No bag is given, or a truth value is none.
    """
    given = {
        each.name: arguments.get(each.name, each.default).strip() for each in PLAYER_ARGUMENTS
    }
    if not given["bag"]:
        raise ValueError("No bag is given, expected bag:=<folder or file>.")
    line = [given["bag"], "--rate", given["rate"], "--start-offset", given["start"]]
    if truth("loop", given["loop"]):
        line.append("--loop")
    if given["duration"]:
        line += ["--duration", given["duration"]]
    return line


_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")


def canonicalizer_parameters(arguments: Mapping[str, str]) -> dict[str, bool | str | list[str]]:
    """ROS parameters that launch arguments set; an empty argument sets none.

    Args:
        arguments: By name; those not given have their default.

    Raises:
        ValueError: A truth value is none.
    """
    parameters: dict[str, bool | str | list[str]] = {}
    for argument in CANONICALIZER_ARGUMENTS:
        value = arguments.get(argument.name, argument.default).strip()
        if not argument.parameter or not value:
            continue
        if argument is CAMERAS:
            names = [name.strip() for name in value.split(",") if name.strip()]
            parameters[argument.parameter] = names
        elif argument in (USE_SIM_TIME, AUTOSTART):
            parameters[argument.parameter] = truth(argument.name, value)
        else:
            parameters[argument.parameter] = value
    return parameters


def truth(name: str, text: str) -> bool:
    """Truth value of an argument.

    Raises:
        ValueError: The text is neither true nor false.
    """
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError(f"{name} is '{text}', expected true or false.")


def ros_arguments(arguments: Mapping[str, str]) -> list[str]:
    """The arguments as ROS command line, for a node started without the launch tool.

    Raises:
        ValueError: An argument is unknown or has an impossible value.
    """
    known = {argument.name: argument for argument in CANONICALIZER_ARGUMENTS}
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        raise ValueError(
            f"Unknown argument '{unknown[0]}', expected one of {', '.join(sorted(known))}."
        )
    given = {name: arguments.get(name, known[name].default).strip() for name in known}
    if given["log_level"] not in LOG_LEVELS:
        raise ValueError(
            f"log_level is '{given['log_level']}', expected one of {', '.join(LOG_LEVELS)}."
        )
    line = ["--ros-args", "--log-level", given["log_level"]]
    if given["namespace"]:
        line += ["-r", f"__ns:=/{given['namespace'].strip('/')}"]
    if given["params_file"]:
        line += ["--params-file", given["params_file"]]
    for name, value in canonicalizer_parameters(given).items():
        line += ["-p", f"{name}:={_yaml(value)}"]
    return line


def _yaml(value: bool | str | list[str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    return "'" + value.replace("'", "''") + "'"
