# SPDX-License-Identifier: Apache-2.0
"""What studies that train networks share: fitting, committed weights, re-scoring, the command."""
