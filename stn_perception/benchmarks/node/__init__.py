# SPDX-License-Identifier: Apache-2.0
"""The node between a camera and a reader, each a process of its own, and its peers."""
