# SPDX-License-Identifier: Apache-2.0
"""Objects in clutter, found by a transformer that is told the class only."""
