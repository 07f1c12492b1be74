# SPDX-License-Identifier: Apache-2.0
"""Make Fast DDS carry large images: a bigger shared-memory segment, set before it starts.

With the middleware's defaults a BestEffort subscriber loses nearly every image, because one
image does not fit the 512 KiB segment. The profile must be in force in the process that
*publishes* the images; it does no harm in the one that receives them.
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from xml.etree import ElementTree

from stn_perception.node.share import share_file

PROFILE = "config/fastdds.xml"
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
_USERS_OWN_VARIABLES = (*PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS")
_DISTRIBUTIONS_WITH_OLD_NAME = ("humble", "iron", "jazzy")
_DEFAULT_ANNOUNCEMENT_S = 3.0
_USERS_OWN_FILES = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")


def users_own_setting(environment: Mapping[str, str], working_folder: Path) -> str:
    """Name of the variable or file by which the user has set the transport, else ""."""
    for variable in _USERS_OWN_VARIABLES:
        if environment.get(variable):
            return variable
    for name in _USERS_OWN_FILES:
        if (working_folder / name).is_file():
            return name
    return ""


def fast_dds_is_used(environment: Mapping[str, str]) -> bool:
    """Whether the middleware chosen by the environment is Fast DDS (ROS 2's default)."""
    return environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp").startswith(
        ("rmw_fastrtps", "rmw_fastdds")
    )


def profile_environment(environment: Mapping[str, str], working_folder: Path) -> dict[str, str]:
    """Variables that make Fast DDS use the package's profile; empty where they do not apply.

    Args:
        environment: The environment that the process starts with.
        working_folder: Its working folder, where Fast DDS looks for a profile too.
    """
    if not fast_dds_is_used(environment) or users_own_setting(environment, working_folder):
        return {}
    return {_profile_variable(environment): str(share_file(PROFILE))}


def _profile_variable(environment: Mapping[str, str]) -> str:
    """Kilted renamed the variable and warns about the old name."""
    distribution = environment.get("ROS_DISTRO") or _distribution_of_the_wheels()
    current, deprecated = PROFILE_VARIABLES
    return deprecated if distribution in _DISTRIBUTIONS_WITH_OLD_NAME else current


def _distribution_of_the_wheels() -> str:
    for name in _DISTRIBUTIONS_WITH_OLD_NAME:
        try:
            importlib.metadata.version(f"ros-{name}-rclpy")
        except importlib.metadata.PackageNotFoundError:
            continue
        return name
    return ""


def announcement_period_s(environment: Mapping[str, str]) -> float:
    """How often Fast DDS announces a process to others, by the profile in force; else 3 s."""
    files = [environment[name] for name in PROFILE_VARIABLES if environment.get(name)]
    for file in files:
        try:
            root = ElementTree.parse(file).getroot()
        except (OSError, ElementTree.ParseError):
            continue  # Fast DDS says so itself
        for element in root.iter():
            if element.tag.rpartition("}")[2] == "leaseAnnouncement":
                parts = {child.tag.rpartition("}")[2]: child.text or "0" for child in element}
                return _seconds(parts)
    return _DEFAULT_ANNOUNCEMENT_S


def _seconds(parts: Mapping[str, str]) -> float:
    """A duration of the profile; one that is no number of seconds counts as the default."""
    try:
        return float(parts.get("sec", "0")) + 1e-9 * float(parts.get("nanosec", "0"))
    except ValueError:
        return _DEFAULT_ANNOUNCEMENT_S


def tune_transport(environment: MutableMapping[str, str] | None = None) -> str:
    """Set the profile in this process; to be called before the middleware is initialised.

    Returns:
        One sentence that says what was done, for the log.
    """
    target = os.environ if environment is None else environment
    working_folder = Path.cwd()
    variables = profile_environment(target, working_folder)
    if variables:
        target.update(variables)
        return f"Fast DDS profile {next(iter(variables.values()))}."
    if not fast_dds_is_used(target):
        return f"Middleware {target['RMW_IMPLEMENTATION']}: no transport profile set."
    own = users_own_setting(target, working_folder)
    return f"Transport left as set by {own}."
