# SPDX-License-Identifier: Apache-2.0
"""Study `highres`: look at a 4K frame in low resolution, read one view of it in full."""
