# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a study, in one sentence."""


class StudyError(ValueError):
    """A study that cannot be run as asked; the message is one sentence for the user."""
