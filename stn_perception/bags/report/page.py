# SPDX-License-Identifier: Apache-2.0
"""The report as one file without outside references."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.page_style import CSS
from stn_perception.bags.report import sections
from stn_perception.bags.report.plots import plot_data, text
from stn_perception.bags.report.provenance import provenance_section
from stn_perception.bags.report.style import REPORT_CSS, REPORT_SCRIPT
from stn_perception.bags.report.worst import WorstView
from stn_perception.bags.report.worst_cards import worst_section
from stn_perception.runtime.whole_file import write_whole_file


def write_report(evaluation: Evaluation, worst: Sequence[WorstView], path: Path) -> None:
    """Write the page, whole or not at all; the same evaluation gives the same bytes.

    How long the run took is not in it, so that a repeated run can be compared by its page.

    Args:
        evaluation: What was found.
        worst: The views of ``worst_views`` with their pictures.
        path: Of the page.

    Raises:
        BagError: plotly is not installed.
        OSError: It cannot be written.
    """
    write_whole_file(path, report_html(evaluation, worst))


def report_html(evaluation: Evaluation, worst: Sequence[WorstView]) -> str:
    """Return the page.

    Raises:
        BagError: plotly is not installed.
    """
    library = _plotly_library()
    parts = [
        sections.head_section(evaluation),
        sections.skipped_section(evaluation),
        sections.metric_section(evaluation),
        sections.distribution_section(evaluation),
        sections.time_section(evaluation),
        sections.condition_section(evaluation),
        sections.stability_section(evaluation),
        sections.reliability_section(evaluation),
    ]
    data = plot_data(plot for part in parts for plot in part.plots)
    title = f"Evaluation of {', '.join(evaluation.models)}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{text(title)}</title><style>{CSS}{REPORT_CSS}</style></head><body><main>"
        f"{''.join(part.content for part in parts)}{worst_section(evaluation, worst)}"
        f"{provenance_section(evaluation)}</main>"
        f'<script type="application/json" id="plots">{data}</script>'
        f"<script>{library}</script><script>{REPORT_SCRIPT}</script></body></html>\n"
    )


def _plotly_library() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise BagError("a report needs plotly: pip install 'stn_perception[evaluate]'") from error
    return str(get_plotlyjs())
