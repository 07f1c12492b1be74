# SPDX-License-Identifier: Apache-2.0
"""The command line `stn`: one subcommand a job, each a thin call into a room.

Rooms are imported when their command runs: `stn --help` needs neither torch nor ROS.
"""

from stn_perception.cli.main import main
from stn_perception.cli.parser import build_parser

__all__ = ["build_parser", "main"]
