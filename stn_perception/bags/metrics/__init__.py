# SPDX-License-Identifier: Apache-2.0
"""Figures of evaluated views: errors, intervals, groups, comparisons of models and limits."""

from stn_perception.bags.metrics.as_json import evaluation_json
from stn_perception.bags.metrics.comparison import Comparison, compared
from stn_perception.bags.metrics.groups import Group, Grouping, grouped
from stn_perception.bags.metrics.measuring import Measured, measured
from stn_perception.bags.metrics.metric_names import METRICS, Metric
from stn_perception.bags.metrics.parquet import write_parquet
from stn_perception.bags.metrics.per_view import per_view_metrics
from stn_perception.bags.metrics.statistics import Statistics, statistics
from stn_perception.bags.metrics.thresholds import (
    Thresholds,
    check_thresholds,
    parse_thresholds,
    read_thresholds,
)
from stn_perception.bags.metrics.view_columns import ViewColumns, view_columns

__all__ = [
    "METRICS",
    "Comparison",
    "Group",
    "Grouping",
    "Measured",
    "Metric",
    "Statistics",
    "Thresholds",
    "ViewColumns",
    "check_thresholds",
    "compared",
    "evaluation_json",
    "grouped",
    "measured",
    "parse_thresholds",
    "per_view_metrics",
    "read_thresholds",
    "statistics",
    "view_columns",
    "write_parquet",
]
