# SPDX-License-Identifier: Apache-2.0
"""A figure with its interval, as tables show it."""

from __future__ import annotations

from collections.abc import Mapping


def interval_text(figure: Mapping[str, float] | None, digits: int, factor: float = 1.0) -> str:
    """Return ``value (low–high)``, or a dash where there is no figure.

    Args:
        figure: ``value``, ``low`` and ``high``.
        digits: after the point.
        factor: on all three, as 100 for percent.
    """
    if figure is None:
        return "–"
    value, low, high = (factor * figure[key] for key in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
