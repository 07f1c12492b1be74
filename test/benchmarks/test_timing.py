# SPDX-License-Identifier: Apache-2.0
import gc
import itertools
import time

import pytest

from stn_perception.benchmarks.timing import Timing, interleaved, ratio


def test_a_job_of_thrice_the_work_takes_about_three_times_as_long():
    def wait(milliseconds):
        return lambda: time.sleep(1e-3 * milliseconds)

    times = interleaved({"once": wait(5), "thrice": wait(15)}, rounds=5)
    assert ratio(times["thrice"], times["once"]).median == pytest.approx(3.0, rel=0.25)
    assert times["once"].median_ms >= 5.0
    assert times["once"].fastest_ms <= times["once"].median_ms


def test_every_contender_gets_one_figure_a_round_and_none_always_comes_after_another():
    calls = []
    names = "abc"
    times = interleaved({name: lambda n=name: calls.append(n) for name in names}, rounds=12)
    assert {len(timing.seconds) for timing in times.values()} == {12}
    runs = [name for name, before in zip(calls, ["", *calls], strict=False) if name != before]
    followed = set(itertools.pairwise(runs))
    assert followed == {(a, b) for a in names for b in names if a != b}
    assert gc.isenabled()


def test_a_contender_that_fails_leaves_the_garbage_collector_on():
    def fail():
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        interleaved({"bad": fail}, rounds=1)
    assert gc.isenabled()


def test_a_ratio_is_that_of_each_round_not_of_the_sums():
    peer, reference = Timing((2.0, 20.0, 2.0)), Timing((1.0, 10.0, 1.0))
    assert ratio(peer, reference).median == 2.0
    with pytest.raises(ValueError, match="3 and 1 rounds, expected the same number"):
        ratio(peer, Timing((1.0,)))


def test_no_rounds_are_refused():
    with pytest.raises(ValueError, match="rounds is 0, expected at least 1"):
        interleaved({"a": lambda: None}, rounds=0)
