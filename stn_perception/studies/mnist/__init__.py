# SPDX-License-Identifier: Apache-2.0
"""Distorted MNIST with and without transformers (Jaderberg et al. 2015, section 4.1)."""
