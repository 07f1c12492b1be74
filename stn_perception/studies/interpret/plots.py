# SPDX-License-Identifier: Apache-2.0
"""Learned over true angle, one dot for each digit, as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch

from stn_perception.studies.interpret.measuring import Measured
from stn_perception.training.charts import COLORS, SOFT, Axis, Chart, svg

# As many dots as tell a cloud from a line without a megabyte of them.
_DOTS = 1500


def scatter(measured: Mapping[str, Measured]) -> str:
    """Return one chart for each network: the true angle, and the learned one less its offset."""
    return svg([_chart(name, of) for name, of in measured.items()], columns=3)


def _chart(name: str, measured: Measured) -> Chart:
    true = torch.rad2deg(measured.true_rad[:_DOTS]).tolist()
    # The error is wrapped, so that a dot lies where it is least far from the line.
    error = torch.rad2deg(measured.by_class.error_rad[:_DOTS]).tolist()
    reach = 30 * math.ceil(max(map(abs, true)) / 30)
    title = f"{name}: median {measured.by_class.median_deg:.1f}°"
    chart = Chart(
        Axis("true angle, °", -reach, reach),
        Axis("learned angle, °", -2 * reach, 2 * reach),
        title,
        width=340,
        height=300,
    )
    chart.line([(-reach, -reach), (reach, reach)], SOFT, width=1)
    dots = [(t, t + e) for t, e in zip(true, error, strict=True)]
    chart.dots(dots, COLORS[0], radius=1.3, opacity=0.45)
    return chart
