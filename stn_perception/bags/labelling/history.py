# SPDX-License-Identifier: Apache-2.0
"""Undo and redo."""

from __future__ import annotations

from stn_perception.bags.labelling.labels import Labels

MOST_STEPS = 500


class History:
    """The labels as they are, were, and would be again.

    Args:
        labels: As they are.
    """

    def __init__(self, labels: Labels) -> None:
        self._past: list[Labels] = []
        self._future: list[Labels] = []
        self._now = labels
        self._gesture = ""

    @property
    def now(self) -> Labels:
        """The labels as they are."""
        return self._now

    @property
    def can_undo(self) -> bool:
        """Whether a step can be taken back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a step that was taken back can be done again."""
        return bool(self._future)

    def change(self, labels: Labels, gesture: str = "") -> None:
        """Go on to other labels.

        Args:
            labels: The other ones.
            gesture: Changes of one gesture, such as repeated nudges, are one step.
        """
        if not gesture or gesture != self._gesture:
            self._past = [*self._past, self._now][-MOST_STEPS:]
        self._gesture, self._now, self._future = gesture, labels, []

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self._past:
            self._future.append(self._now)
            self._now = self._past.pop()
        self._gesture = ""

    def redo(self) -> None:
        """Do the step again that was taken back last, if there is one."""
        if self._future:
            self._past.append(self._now)
            self._now = self._future.pop()
        self._gesture = ""
