# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a recording, in one sentence."""


class BagError(ValueError):
    """A bag that cannot be read or written; the message is one sentence for the user."""
