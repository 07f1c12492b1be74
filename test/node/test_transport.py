# SPDX-License-Identifier: Apache-2.0
"""The transport profile is set exactly where it helps and nothing of the user's is touched."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from stn_perception.node.share import share_file
from stn_perception.node.transport import PROFILE, profile_environment, tune_transport

NAMESPACE = {"dds": "http://www.eprosima.com"}


def test_the_segment_holds_images_and_fits_a_container() -> None:
    tree = ElementTree.parse(share_file(PROFILE))
    segment = int(tree.findtext(".//dds:segment_size", namespaces=NAMESPACE) or 0)
    assert 2 * 1920 * 1080 * 3 <= segment <= (64 << 20) // 3


@pytest.mark.parametrize(
    ("distribution", "variable"),
    [
        ("humble", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("jazzy", "FASTRTPS_DEFAULT_PROFILES_FILE"),
        ("kilted", "FASTDDS_DEFAULT_PROFILES_FILE"),
        ("lyrical", "FASTDDS_DEFAULT_PROFILES_FILE"),
    ],
)
def test_the_profile_is_set_under_the_name_the_distribution_reads(
    distribution: str, variable: str, tmp_path: Path
) -> None:
    environment = profile_environment({"ROS_DISTRO": distribution}, tmp_path)
    assert list(environment) == [variable]
    assert Path(environment[variable]).is_file()


@pytest.mark.parametrize(
    "own",
    [
        {"FASTRTPS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_DEFAULT_PROFILES_FILE": "/mine.xml"},
        {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"},
        {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"},
    ],
)
def test_the_users_own_setting_wins(own: dict[str, str], tmp_path: Path) -> None:
    environment = dict(own)
    assert profile_environment(environment, tmp_path) == {}
    sentence = tune_transport(environment)
    assert environment == own
    assert next(iter(own)) in sentence or own["RMW_IMPLEMENTATION"] in sentence


def test_a_profile_in_the_working_folder_wins(tmp_path: Path) -> None:
    (tmp_path / "DEFAULT_FASTDDS_PROFILES.xml").write_text("<dds/>")
    assert profile_environment({}, tmp_path) == {}
