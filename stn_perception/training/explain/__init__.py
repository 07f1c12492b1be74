# SPDX-License-Identifier: Apache-2.0
"""A page about a model: what it predicts against truth, what moves it, where it fails."""
