# SPDX-License-Identifier: Apache-2.0
"""One line of text names a source of truth, or is refused with what was expected."""

from pathlib import Path

import pytest

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.truth import SeenFrame, TruthOptions, load_truth, parse_truth

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", {"source": "none"}),
        ("topic:/camera/truth", {"source": "topic", "topic": "/camera/truth"}),
        (
            "topic:/t;tolerance_s=0.02;pixel_origin=edge",
            {"source": "topic", "topic": "/t", "tolerance_s": 0.02, "pixel_origin": "edge"},
        ),
        (
            "tf:tag_1=0.065,0.065;board=1,0.5;axes=right_up;max_gap_s=2",
            {
                "source": "tf",
                "sizes_m": {"tag_1": (0.065, 0.065), "board": (1.0, 0.5)},
                "axes": "right_up",
                "max_gap_s": 2.0,
            },
        ),
        ("file:labels.json", {"source": "file", "file": "labels.json"}),
        ("file:a:b.csv; tolerance_s = 0.1", {"file": "a:b.csv", "tolerance_s": 0.1}),
        ("fiducials:tag36h11", {"source": "fiducials", "dictionary": "tag36h11"}),
        ("fiducials:tag36h11:a/b.json", {"dictionary": "tag36h11", "layout": "a/b.json"}),
    ],
)
def test_text_gives_options(text, expected):
    options = parse_truth(text)
    assert isinstance(options, TruthOptions)
    assert {name: getattr(options, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "'' is of no known form, expected none, topic:NAME"),
        ("labels.json", "'labels.json' is of no known form"),
        ("topic", "of no known form"),
        ("none:x", "of no known form"),
        ("topic:", "the source 'topic' needs 'topic'"),
        ("tf:", "the source 'tf' needs 'sizes_m'"),
        ("tf:tag=1", "'tag=1', expected FRAME=WIDTH,HEIGHT"),
        ("tf:tag=1,2;tag=1,2", "the frame 'tag' twice"),
        ("tf:tag=1,-2", r"sizes_m\.tag\[1\] is '-2'"),
        ("tf:tag=1,2;axes=left", "axes is 'left'"),
        ("file:a.json;axes=right_up", "'axes=right_up', options of file: tolerance_s"),
        ("topic:/t;tolerance_s=-1", "tolerance_s is '-1'"),
        ("topic:/t;tolerance_s=soon", "tolerance_s is 'soon'"),
        ("fiducials:tag36h11;x=1", "'x=1', options of fiducials: none"),
    ],
)
def test_wrong_text_is_refused_with_what_was_expected(text, expected):
    with pytest.raises(BagError, match=expected) as error:
        parse_truth(text)
    assert "\n" not in str(error.value)


def test_no_truth_is_a_truth_that_knows_nothing():
    with BagReader(SAMPLE) as reader:
        truth = load_truth(parse_truth("none"), reader, "camera")
    frame = SeenFrame("camera", 1_767_225_600_000_000_000, "camera_optical_frame", 640, 480)
    assert truth.objects(frame) == ()
    assert truth.part(0, 1).objects(frame) == ()
    assert not truth.needs_pixels
    assert truth.sentences == ()
