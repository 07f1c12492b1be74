# SPDX-License-Identifier: Apache-2.0
"""Figures of evaluated views: errors, intervals, groups, comparisons of models and limits."""

from stn_perception.bags.metrics.as_json import evaluation_json
from stn_perception.bags.metrics.measuring import Measured, measured
from stn_perception.bags.metrics.metric_names import METRICS, Metric
from stn_perception.bags.metrics.per_view import per_view_metrics
from stn_perception.bags.metrics.statistics import Statistics, statistics
from stn_perception.bags.metrics.view_columns import ViewColumns, view_columns

__all__ = [
    "METRICS",
    "Measured",
    "Metric",
    "Statistics",
    "ViewColumns",
    "evaluation_json",
    "measured",
    "per_view_metrics",
    "statistics",
    "view_columns",
]
