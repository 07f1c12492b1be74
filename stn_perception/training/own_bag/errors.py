# SPDX-License-Identifier: Apache-2.0
"""What can be wrong with a recording to train on, in one sentence."""


class OwnBagError(ValueError):
    """A recording that cannot be trained on; the message is one sentence for the user."""
