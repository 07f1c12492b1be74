# SPDX-License-Identifier: Apache-2.0
"""Training: labelled scenes, strategies, fitting, export to an archive, scores."""
