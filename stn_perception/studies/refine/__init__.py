# SPDX-License-Identifier: Apache-2.0
"""Perturbed digits, looked at once, twice or four times (Lin & Lucey 2017, section 5.1)."""
