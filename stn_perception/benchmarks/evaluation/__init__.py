# SPDX-License-Identifier: Apache-2.0
"""How fast recordings are evaluated, and how that grows with workers."""
