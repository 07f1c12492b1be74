# SPDX-License-Identifier: Apache-2.0
"""What machines read holds the promised keys, and the same bytes for the same records."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stn_perception.bags.evaluation.records import EvaluatedBag
from stn_perception.bags.metrics import METRICS, evaluation_json

from .making import START_NS, evaluation, frame_of, moved, trembling, view


def numbers_in(value):
    if isinstance(value, dict):
        return [n for one in value.values() for n in numbers_in(one)]
    if isinstance(value, list):
        return [n for one in value for n in numbers_in(one)]
    return [value] if isinstance(value, float) else []


def test_it_has_the_promised_keys() -> None:
    found = evaluation_json(evaluation(trembling(seconds=8)))
    promised = ("bags", "frames", "views", "seconds", "fps", "metrics", "models", "skipped")
    assert set(promised) <= set(found)
    assert (found["bags"], found["frames"], found["views"]) == (1, 160, 160)
    assert (found["seconds"], found["fps"]) == (2.0, 80.0)
    for name, metric in found["metrics"].items():
        assert name in METRICS
        assert set(metric) == {"median", "mean", "p95", "ci95", "n"}
    error = found["metrics"]["corner_error_of_side"]
    assert error["n"] == 160
    assert error["ci95"][0] < error["median"] < error["ci95"][1]


def test_metrics_without_a_sample_are_left_out() -> None:
    found = evaluation_json(evaluation([view(k, truth=None) for k in range(5)]))
    assert set(found["metrics"]) == {"jitter_of_side", "valid_fraction", "coverage"}


def test_each_model_has_its_own_metrics_and_the_first_is_on_top() -> None:
    views = trembling(noise_px=1.0) + trembling(noise_px=3.0, model="other")
    found = evaluation_json(evaluation(views, labels=("planar", "other")))
    assert found["metrics"] == found["models"]["planar"]["metrics"]
    medians = [m["metrics"]["corner_error_px"]["median"] for m in found["models"].values()]
    assert medians[1] == pytest.approx(3 * medians[0], rel=1e-4)
    assert found["models"]["other"]["sha256"] == "cd" * 32
    assert found["views"] == found["models"]["other"]["views"] == 160


def test_what_was_skipped_is_added_up_by_reason() -> None:
    bags = (
        EvaluatedBag("a", "a", "", 0, 1, 3, {"damaged_chunks": 2, "bad_encoding": 0}),
        EvaluatedBag("b", "b", "", 0, 1, 4, {"damaged_chunks": 1, "no_boxes": 5}, ("Cut off.",)),
    )
    frames = [frame_of([view()], boxes=3, dropped={"outside": 2})]
    found = evaluation_json(evaluation([view()], frames=frames, bags=bags))
    assert found["skipped"] == {"damaged_chunks": 3, "no_boxes": 5}
    assert found["frames"] == 7
    assert found["models"]["planar"]["dropped"] == {"outside": 2}
    assert found["recordings"][1]["sentences"] == ["Cut off."]


def test_no_number_is_nan_and_nothing_at_all_is_an_answer_too() -> None:
    nothing = evaluation_json(evaluation([]))
    assert (nothing["views"], nothing["metrics"]) == (0, {})
    few = evaluation_json(evaluation([view(0, score=math.nan, psnr_db=math.inf)]))
    assert few["metrics"]["corner_error_px"]["ci95"] == [None, None]
    for found in (nothing, few):
        json.dumps(found, allow_nan=False)
        assert all(math.isfinite(n) for n in numbers_in(found))


VIEWS = [
    view(k, moved(np.random.default_rng(k).normal(0, 2, 2)), object_id=i, truth_id=i)
    for k in range(0, 200, 6)
    for i in ("a", "b")
]
EXPECTED = json.dumps(evaluation_json(evaluation(VIEWS)))


@settings(deadline=None, max_examples=4)
@given(st.permutations(range(len(VIEWS))))
def test_the_order_of_the_records_does_not_matter(order) -> None:
    shuffled = evaluation([VIEWS[k] for k in order])
    assert json.dumps(evaluation_json(shuffled)) == EXPECTED


def test_the_run_of_the_clock_is_all_that_stamps_do() -> None:
    later = [view(k, moved((1, 0)), stamp_ns=START_NS + k * 10**9) for k in range(8)]
    found = evaluation_json(evaluation(later))["metrics"]["corner_error_px"]
    assert found == {"median": 1.0, "mean": 1.0, "p95": 1.0, "ci95": [1.0, 1.0], "n": 8}
