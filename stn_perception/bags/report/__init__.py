# SPDX-License-Identifier: Apache-2.0
"""The report of an evaluation: one page that needs no network, reads in print and in the dark."""

from stn_perception.bags.report.page import write_report
from stn_perception.bags.report.worst import WorstView, worst_views

__all__ = ["WorstView", "worst_views", "write_report"]
