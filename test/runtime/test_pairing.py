# SPDX-License-Identifier: Apache-2.0
"""Frames and detections find each other by stamp, and nothing disappears uncounted."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stn_perception.messages.outcomes import DropReason
from stn_perception.runtime.pairing import Pairing, PairingOutcome, PairingSettings

MS = 1_000_000


class Recorder:
    """A pairing with everything that came out of it."""

    def __init__(self, **settings: object) -> None:
        self.pairing: Pairing[str, str] = Pairing(PairingSettings(**settings))  # type: ignore[arg-type]
        self.pairs: list[tuple[str, str]] = []
        self.dropped: list[tuple[str, DropReason]] = []
        self.jumps = 0
        self.now_s = 0.0

    def _take(self, outcome: PairingOutcome[str, str]) -> None:
        self.pairs += [(pair.frame, pair.detections) for pair in outcome.pairs]
        self.dropped += [(drop.item, drop.reason) for drop in outcome.dropped]
        self.jumps += outcome.jumped

    def frame(self, stamp_ms: int, name: str = "") -> None:
        item = name or f"f{stamp_ms}"
        self._take(self.pairing.push_frame(stamp_ms * MS, item, self.now_s))

    def detections(self, stamp_ms: int, name: str = "") -> None:
        item = name or f"d{stamp_ms}"
        self._take(self.pairing.push_detections(stamp_ms * MS, item, self.now_s))

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self._take(self.pairing.expire(self.now_s))

    def finish(self) -> None:
        self._take(self.pairing.clear(DropReason.SHUTDOWN))


def test_detections_that_come_later_find_their_frame() -> None:
    it = Recorder()
    for stamp in (100, 150, 200):
        it.frame(stamp)
    it.detections(150)
    it.detections(200)
    assert it.pairs == [("f150", "d150"), ("f200", "d200")]
    assert it.dropped == [("f100", DropReason.UNPAIRED)]


def test_detections_may_overtake_their_frame() -> None:
    it = Recorder()
    it.detections(100)
    assert not it.pairs
    it.frame(100)
    assert it.pairs == [("f100", "d100")]


def test_exact_pairing_does_not_accept_a_neighbour() -> None:
    it = Recorder()
    it.pairing.push_frame(100, "f", 0.0)
    assert not it.pairing.push_detections(101, "d", 0.0).pairs


def test_approximate_pairing_waits_until_no_later_frame_can_be_nearer() -> None:
    it = Recorder(sync="approximate", slop_s=0.03)
    it.frame(100)
    it.detections(120)
    assert not it.pairs
    it.frame(125)
    assert it.pairs == [("f125", "d120")]


def test_approximate_pairing_takes_the_nearest_on_timeout_and_nothing_beyond_the_slop() -> None:
    it = Recorder(sync="approximate", slop_s=0.03, timeout_s=0.5)
    it.frame(100)
    it.detections(120)
    it.wait(0.6)
    assert it.pairs == [("f100", "d120")]
    it.frame(200)
    it.detections(240)
    it.frame(290)
    it.wait(0.6)
    assert len(it.pairs) == 1
    assert Counter(name for name, _ in it.dropped) == Counter(["f200", "f290", "d240"])


def test_the_ring_is_bounded_and_waiting_ends() -> None:
    it = Recorder(queue_size=3, timeout_s=0.5)
    for stamp in range(5):
        it.frame(stamp)
    assert it.dropped == [("f0", DropReason.NO_BOXES_YET), ("f1", DropReason.NO_BOXES_YET)]
    it.detections(99)
    it.wait(0.49)
    assert len(it.dropped) == 2
    it.wait(0.02)
    assert sorted(it.dropped[2:]) == [
        ("d99", DropReason.UNPAIRED),
        ("f2", DropReason.UNPAIRED),
        ("f3", DropReason.UNPAIRED),
        ("f4", DropReason.UNPAIRED),
    ]


@pytest.mark.parametrize("lag", [0, 1, 2, 5])
@pytest.mark.parametrize("sync", ["exact", "approximate"])
def test_after_a_loop_pairing_works_at_once(lag: int, sync: str) -> None:
    """Detections run ``lag`` frames behind, so at the loop the streams jump at different times."""
    it = Recorder(sync=sync, slop_s=0.01)
    stamps = [100 + 50 * i for i in range(20)] * 3
    for step in range(len(stamps) + lag):
        if step < len(stamps):
            it.frame(stamps[step], f"f{step}")
        if step >= lag:
            it.detections(stamps[step - lag], f"d{step - lag}")
        it.now_s += 0.05
    names = [(int(f[1:]), int(d[1:])) for f, d in it.pairs]
    assert all(f == d for f, d in names)
    # Only the frames whose detections were still on their way at the two jumps are lost.
    assert len(names) >= len(stamps) - 2 * lag
    for loop in (20, 40):
        assert (loop, loop) in names
    assert it.jumps >= 2


def test_detections_that_jump_first_wait_for_their_frame() -> None:
    it = Recorder()
    for stamp in (1000, 1050):
        it.frame(stamp)
    it.detections(1000)
    it.detections(100)
    it.frame(100)
    assert it.pairs == [("f1000", "d1000"), ("f100", "d100")]
    assert ("f1050", DropReason.TIME_JUMP) in it.dropped


def test_late_detections_of_the_past_do_not_disturb_the_present() -> None:
    it = Recorder()
    it.frame(1000)
    it.frame(100)
    it.detections(1000)
    it.frame(150)
    it.detections(100)
    it.detections(150)
    assert it.pairs == [("f100", "d100"), ("f150", "d150")]


@given(
    events=st.lists(
        st.tuples(st.sampled_from("fdw"), st.integers(0, 12), st.floats(0, 0.3)), max_size=60
    ),
    sync=st.sampled_from(["exact", "approximate"]),
)
def test_everything_leaves_exactly_once_and_pairs_are_in_order(
    events: list[tuple[str, int, float]], sync: str
) -> None:
    it = Recorder(sync=sync, queue_size=4, slop_s=0.0015)
    pushed: list[str] = []
    jumps_at_pair: list[int] = []
    for number, (kind, stamp, pause) in enumerate(events):
        name = f"{kind}{number}:{stamp}"
        if kind == "w":
            it.wait(pause)
            continue
        pushed.append(name)
        (it.frame if kind == "f" else it.detections)(stamp, name)
        jumps_at_pair += [it.jumps] * (len(it.pairs) - len(jumps_at_pair))
    jumps_at_pair += [it.jumps] * (len(it.pairs) - len(jumps_at_pair))
    it.finish()
    left = [name for pair in it.pairs for name in pair] + [name for name, _ in it.dropped]
    assert Counter(left) == Counter(pushed)
    stamps = [[int(name.split(":")[1]) for name in pair] for pair in it.pairs]
    slop = 0 if sync == "exact" else 1
    assert all(abs(f - d) <= slop for f, d in stamps)
    for (before, after), (jump, next_jump) in zip(
        pairwise(stamps), pairwise(jumps_at_pair), strict=True
    ):
        if jump == next_jump:
            assert before[0] <= after[0]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="queue_size is 0"):
        PairingSettings(queue_size=0)
    with pytest.raises(ValueError, match="'nearest'"):
        PairingSettings(sync="nearest")  # type: ignore[arg-type]
