# SPDX-License-Identifier: Apache-2.0
"""A one-dimensional transformer before a GRU and before a transformer encoder, on short texts."""
