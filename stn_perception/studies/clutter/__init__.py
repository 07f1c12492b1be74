# SPDX-License-Identifier: Apache-2.0
"""Translated digits in clutter (Jaderberg et al. 2015, section 4.1)."""
