# SPDX-License-Identifier: Apache-2.0
"""Study `registration`: brain slices with known transforms, brought together without labels."""
