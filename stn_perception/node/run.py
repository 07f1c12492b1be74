# SPDX-License-Identifier: Apache-2.0
"""Start the node with the launch files' arguments where the launch tool is absent."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from stn_perception.node.exit_codes import EXIT_USAGE
from stn_perception.node.launch_arguments import ros_arguments
from stn_perception.node.main import main


def run(arguments: Mapping[str, str]) -> int:
    """Run the node in this process until it is told to end.

    Args:
        arguments: Values of ``CANONICALIZER_ARGUMENTS`` by name; others have their default.

    Returns:
        The node's exit code (see ``main``).
    """
    try:
        line = ros_arguments(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return EXIT_USAGE
    return main(["canonicalizer_node", *line])
