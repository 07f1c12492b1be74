# SPDX-License-Identifier: Apache-2.0
"""Where the objects of a recording truly are: by hand, by TF, by a topic or by fiducials."""

from stn_perception.bags.truth.boxes import regions_of
from stn_perception.bags.truth.loading import load_truth
from stn_perception.bags.truth.matching import match_truths
from stn_perception.bags.truth.objects import FrameTruth, SeenFrame, TrueObject
from stn_perception.bags.truth.options import TruthOptions
from stn_perception.bags.truth.parsing import parse_truth

__all__ = [
    "FrameTruth",
    "SeenFrame",
    "TrueObject",
    "TruthOptions",
    "load_truth",
    "match_truths",
    "parse_truth",
    "regions_of",
]
