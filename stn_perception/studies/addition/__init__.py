# SPDX-License-Identifier: Apache-2.0
"""The sum of two digits, seen by two parallel transformers (Jaderberg et al. 2015, A.1)."""
