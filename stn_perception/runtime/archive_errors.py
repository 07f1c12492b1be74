# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a model, told apart by when it is found out."""


class ArchiveError(ValueError):
    """A model file cannot be used; the message is one sentence for the user."""


class ModelError(RuntimeError):
    """An opened network failed on a batch; the message is one sentence for the user."""
