# SPDX-License-Identifier: Apache-2.0
"""Measure a transformer's angles on the test split, in two ways."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from stn_perception.stn import SpatialTransformer
from stn_perception.studies.data.digits import Split
from stn_perception.studies.digits.distortion import Kind, distort
from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.errors import StudyError
from stn_perception.studies.interpret.agreement import Agreement, agreement, half_turn_of
from stn_perception.studies.interpret.learned_angles import learned_angles
from stn_perception.studies.mnist.lesson import fixed_set

# Digits of the split that are distorted several times, and how often.
_DIGITS, _TIMES, _SEED = 1000, 8, 44


@dataclass(frozen=True, eq=False)
class Measured:
    """Angles of one network on one distortion.

    Attributes:
        learned_rad: N, every digit of the split once.
        true_rad: N.
        labels: int64 N.
        by_class: Up to an offset of each class.
        by_digit: Up to an offset of each digit, over several distortions of it.
    """

    learned_rad: Tensor
    true_rad: Tensor
    labels: Tensor
    by_class: Agreement
    by_digit: Agreement


def measure(transformer: SpatialTransformer | None, kind: Kind, split: Split = "test") -> Measured:
    """Compare the angles of a trained network with the true ones.

    Args:
        transformer: In evaluation mode.
        kind: A distortion that has an angle.
        split: Test, or validation while something is still to be chosen.

    Raises:
        StudyError: The distortion has no angle, or there is no transformer.
    """
    if transformer is None:
        raise StudyError("this network has no transformer whose angles could be measured.")
    fixed = fixed_set(split, kind)
    true = fixed.digits.angle_rad
    if true is None:
        raise StudyError(f"the distortion {kind} has no angle to compare with.")
    learned = learned_angles(transformer, fixed.digits.images)
    by_class = agreement(learned, true, fixed.labels, half_turn_of(fixed.labels))
    by_digit = _by_digit(transformer, kind, split)
    return Measured(learned, true, fixed.labels, by_class, by_digit)


def figures(measured: Measured) -> dict[str, float]:
    """Return the figures of the table."""
    return {
        "median_deg": measured.by_class.median_deg,
        "r_squared": measured.by_class.r_squared,
        "slope": measured.by_class.slope,
        "digit_median_deg": measured.by_digit.median_deg,
        "digit_r_squared": measured.by_digit.r_squared,
    }


def _by_digit(transformer: SpatialTransformer, kind: Kind, split: Split) -> Agreement:
    upright = upright_digits(split)
    images = upright.images[:_DIGITS].repeat_interleave(_TIMES, dim=0)
    labels = upright.labels[:_DIGITS].repeat_interleave(_TIMES)
    made = distort(kind, images, torch.Generator().manual_seed(_SEED))
    assert made.angle_rad is not None
    groups = torch.arange(len(images)) // _TIMES
    learned = learned_angles(transformer, made.images)
    return agreement(learned, made.angle_rad, groups, half_turn_of(labels))
