# SPDX-License-Identifier: Apache-2.0
"""How long the node takes from the start of its process to its first view."""
