# SPDX-License-Identifier: Apache-2.0
"""Click the corners of objects on a recording's frames, in a local web page."""
