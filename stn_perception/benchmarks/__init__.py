# SPDX-License-Identifier: Apache-2.0
"""What it costs, with the peers in the same run: the room behind `stn bench`."""
