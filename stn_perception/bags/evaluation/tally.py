# SPDX-License-Identifier: Apache-2.0
"""What is known of a recording so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from stn_perception.bags.evaluation.chunk import FrameOutcome
from stn_perception.bags.evaluation.records import EvaluatedBag, FrameRecord, ViewRecord
from stn_perception.bags.evaluation.sequel import Followed
from stn_perception.bags.evaluation.view_work import SeenViews
from stn_perception.bags.opening import OpenedBag


class Tally:
    """Gathers records and counts of one recording.

    Args:
        bag: The recording.
        labels: Of the models; boxes are counted for the first.
    """

    def __init__(self, bag: OpenedBag, labels: Sequence[str]) -> None:
        self._bag = bag
        self._first = labels[0]
        self.views: dict[str, list[ViewRecord]] = {label: [] for label in labels}
        self.frames: dict[str, list[FrameRecord]] = {label: [] for label in labels}
        self._skipped: Counter[str] = Counter(bag.losses)
        self._sentences = list(bag.sentences)
        self._count = 0

    def add_scan(self, skipped: Mapping[str, int], sentences: Sequence[str]) -> None:
        """What a camera's scan left out."""
        self._skipped.update(skipped)
        self._sentences += sentences

    def count(self, outcome: FrameOutcome) -> None:
        """A frame went through, or was refused; the first of each reason is told."""
        if outcome.refused is None:
            self._count += 1
            return
        reason, text = outcome.refused
        if not self._skipped[reason]:
            self._sentences.append(
                f"Frame {outcome.number} is left out ({reason}): {text.rstrip('.')}."
            )
        self._skipped[reason] += 1

    def add(self, label: str, followed: Sequence[Followed], seen: Mapping[int, SeenViews]) -> None:
        """Records of a model's frames, with what their views look like where that is known."""
        for each in followed:
            scores = seen[each.ref.number].likeness if each.ref.number in seen else {}
            self.frames[label].append(each.frame)
            self.views[label] += [
                _with_likeness(view, scores.get(view.track_id)) for view in each.views
            ]
            if label == self._first:
                for reason, count in each.frame.dropped.items():
                    self._skipped[f"boxes_{reason}"] += count

    def look_for_truth(self, camera: str) -> None:
        """Tell where a truth was given and no frame of a camera has any."""
        frames = [frame for frame in self.frames[self._first] if frame.camera == camera]
        if frames and not any(frame.truths for frame in frames):
            self._sentences.append(
                f"None of the {len(frames)} frames of camera '{camera}' has a true object; does "
                "the truth belong to this recording?"
            )

    def evaluated(self, uri: str, start_ns: int, end_ns: int) -> EvaluatedBag:
        """The recording's record."""
        return EvaluatedBag(
            name=self._bag.name,
            uri=uri,
            sha256=self._bag.sha256,
            start_ns=start_ns,
            end_ns=end_ns,
            frames=self._count,
            skipped={reason: count for reason, count in self._skipped.items() if count},
            sentences=tuple(self._sentences),
        )


def _with_likeness(view: ViewRecord, score: tuple[float, float] | None) -> ViewRecord:
    return view if score is None else replace(view, psnr_db=score[0], ssim=score[1])
