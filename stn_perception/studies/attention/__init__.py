# SPDX-License-Identifier: Apache-2.0
"""Glimpses in sequence against full attention, on scenes of two digits in clutter."""
