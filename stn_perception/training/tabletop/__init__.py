# SPDX-License-Identifier: Apache-2.0
"""Table-top objects: oriented boxes of what lies under a camera."""
