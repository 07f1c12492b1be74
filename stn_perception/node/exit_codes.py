# SPDX-License-Identifier: Apache-2.0
"""What the node's process returns."""

EXIT_CLEAN = 0  # ended as asked, by Ctrl-C, SIGTERM or a shutdown transition
EXIT_FAILED = 1  # could not do its work
EXIT_USAGE = 2  # was started wrongly
