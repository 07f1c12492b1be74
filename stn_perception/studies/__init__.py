# SPDX-License-Identifier: Apache-2.0
"""The published experiments with spatial transformers, reproduced with this package."""
