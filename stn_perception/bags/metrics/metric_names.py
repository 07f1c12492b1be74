# SPDX-License-Identifier: Apache-2.0
"""What each metric is called, what it is measured in, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """How to speak of a metric.

    Attributes:
        title: In words.
        unit: ``px``, ``°``, ``dB``, ``%`` (the number is a share of 1) or ``""``.
        better: Which way.
        needs_truth: Whether it is known only where truth is.
    """

    title: str
    unit: Literal["px", "°", "dB", "%", ""]
    better: Literal["lower", "higher"]
    needs_truth: bool = False

    @property
    def factor(self) -> float:
        """What a value is multiplied with to be in the unit."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def axis(self) -> str:
        """Title and unit."""
        return f"{self.title}, {self.unit}" if self.unit else self.title

    def text(self, value: float) -> str:
        """Return a value with its unit, three digits."""
        space = "" if self.unit in ("", "°") else " "
        return f"{self.factor * value:.3g}{space}{self.unit}"


# In the order of tables. Shares of the side and other shares are kept as parts of 1.
METRICS: dict[str, Metric] = {
    "corner_error_px": Metric("corner error", "px", "lower", True),
    "corner_error_of_side": Metric("corner error (of the side)", "%", "lower", True),
    "angle_error_deg": Metric("angle error", "°", "lower", True),
    "scale_error": Metric("scale error", "%", "lower", True),
    "centre_error_px": Metric("centre error", "px", "lower", True),
    "iou": Metric("overlap with the truth (IoU)", "", "higher", True),
    "psnr_db": Metric("PSNR against the reference", "dB", "higher"),
    "ssim": Metric("SSIM against the reference", "", "higher"),
    "jitter_of_side": Metric("jitter while still (of the side)", "%", "lower"),
    "equivariance_error": Metric("equivariance error (of the side)", "%", "lower"),
    "valid_fraction": Metric("share of the view inside the frame", "%", "higher"),
    "coverage": Metric("regions that became views", "%", "higher"),
    "truth_coverage": Metric("true objects that were seen", "%", "higher", True),
}

# Metrics of a box or a true object, not of a view.
SHARES = ("coverage", "truth_coverage")
VIEW_METRICS = tuple(name for name in METRICS if name not in SHARES)
