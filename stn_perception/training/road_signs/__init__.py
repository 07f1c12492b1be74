# SPDX-License-Identifier: Apache-2.0
"""Road and door signs: designs, scenes with exact truth, the task that learns them, scores."""
