# SPDX-License-Identifier: Apache-2.0
"""Sampling on the CPU by machine code made at run time (Numba), where that is installed."""
