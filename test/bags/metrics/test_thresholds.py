# SPDX-License-Identifier: Apache-2.0
"""Limits from a file are kept, broken with a sentence, or refused with one."""

import json
import re

import pytest

from stn_perception.bags.evaluation.records import EvaluatedBag
from stn_perception.bags.metrics import check_thresholds, parse_thresholds, read_thresholds

from .making import evaluation, frame_of, moved, trembling, view

FIVE_PERCENT = [view(20 * k, moved((3, 4))) for k in range(8)]


def failures(content, views=FIVE_PERCENT, **changes):
    return check_thresholds(parse_thresholds(content), evaluation(views, **changes))


def test_kept_limits_say_nothing() -> None:
    content = {
        "corner_error_of_side": {"median": {"max": 0.05001}, "p95": {"max": 0.0501}},
        "coverage": {"mean": {"min": 0.95}},
        "skipped": {"damaged_chunks": {"max": 0}},
        "iou": {"n": {"min": 8, "max": 8}},
    }
    assert failures(content) == []
    assert failures({}) == []


def test_a_broken_limit_says_value_and_limit() -> None:
    (found,) = failures({"corner_error_of_side": {"median": {"max": 0.02}}})
    assert found == (
        "median of corner_error_of_side is 0.05 (95 % interval 0.05 to 0.05), allowed is at most "
        "0.02."
    )
    (low,) = failures({"corner_error_px": {"mean": {"min": 6, "max": 7}}})
    assert "is 5 " in low and "at least 6 and at most 7" in low


def test_boxes_without_views_break_a_limit_on_coverage() -> None:
    frames = [frame_of([one], boxes=4) for one in FIVE_PERCENT]
    (found,) = failures({"coverage": {"mean": {"min": 0.95}}}, frames=frames)
    assert found.startswith("mean of coverage is 0.25")


def test_what_was_skipped_has_limits_by_reason() -> None:
    bags = [EvaluatedBag("a", "a", "", 0, 1, 8, {"damaged_chunks": 2})]
    limits = {"skipped": {"damaged_chunks": {"max": 0}, "bad_encoding": {"max": 0}}}
    (found,) = failures(limits, bags=bags)
    assert found == "skipped for damaged_chunks is 2, allowed is at most 0."


def test_a_metric_without_samples_fails() -> None:
    (found,) = failures({"psnr_db": {"median": {"min": 20}}})
    assert found == (
        "median of psnr_db is not known: there is no sample of it, allowed is at least 20."
    )
    (found,) = failures({"psnr_db": {"n": {"min": 1}}})
    assert found.startswith("n of psnr_db is 0")


def test_a_confident_limit_holds_for_the_whole_interval() -> None:
    views = trembling(seconds=10, noise_px=1.0)
    (broken,) = failures({"corner_error_px": {"median": {"max": 0}}}, views)
    number, high = (
        float(broken.split(f" {word} ")[1].split(")")[0].split()[0]) for word in ("is", "to")
    )
    between = (number + high) / 2
    limit = {"max": between}
    assert failures({"corner_error_px": {"median": limit}}, views) == []
    (found,) = failures({"corner_error_px": {"median": {**limit, "confident": True}}}, views)
    assert found.endswith("for the whole interval.")
    assert (
        failures({"corner_error_px": {"median": {"max": 2 * high, "confident": True}}}, views)
        == []
    )


def test_nothing_is_confident_without_an_interval() -> None:
    (found,) = failures(
        {"corner_error_px": {"median": {"max": 100, "confident": True}}}, FIVE_PERCENT[:5]
    )
    assert "5 clusters, at least 6 needed" in found


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"corner_eror": {"median": {"max": 1}}}, "'corner_eror' is no metric, expected one of"),
        ({"iou": {"p99": {"max": 1}}}, "'p99' is no statistic of iou, expected one of median"),
        ({"iou": {"median": {}}}, "neither min nor max"),
        ({"iou": {"median": {"min": 2, "max": 1}}}, "min is 2, expected at most max"),
        ({"iou": {"median": {"most": 1}}}, "iou.median.most: Extra inputs"),
        ({"iou": {"median": {"max": "many"}}}, "iou.median.max: Input should be a valid number"),
        ({"iou": {"median": {"max": float("nan")}}}, "finite number"),
        ([1, 2], "the file: Input should be a valid dictionary"),
    ],
)
def test_what_is_no_limit_is_refused_in_a_sentence(content, sentence) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        parse_thresholds(content)


def test_yaml_and_json_files_say_the_same(tmp_path) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "limits.yaml").write_text("corner_error_px: {median: {max: 2, confident: true}}\n")
    content = {"corner_error_px": {"median": {"max": 2, "confident": True}}}
    (tmp_path / "limits.json").write_text(json.dumps(content))
    both = [read_thresholds(tmp_path / f"limits.{kind}") for kind in ("yaml", "json")]
    assert both[0] == both[1] == parse_thresholds(content)


@pytest.mark.parametrize("name", ["missing.yaml", "broken.yaml", "broken.json", "unknown.yaml"])
def test_a_bad_file_is_named(tmp_path, name) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "broken.yaml").write_text("a: [1\nb: 2")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "unknown.yaml").write_text("speed: {median: {max: 1}}")
    with pytest.raises(ValueError, match="the thresholds ") as caught:
        read_thresholds(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)
