# SPDX-License-Identifier: Apache-2.0
"""Everything the node may be told: one validated model, without ROS."""
