# SPDX-License-Identifier: Apache-2.0
"""Distorted digits, drawn in batches as the studies need them, with the exact transforms."""
