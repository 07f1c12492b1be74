# SPDX-License-Identifier: Apache-2.0
"""What was brought together: pairs, and their difference before and after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from stn_perception.bags.pictures import jpeg
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.studies.data.package_files import package_files
from stn_perception.studies.registration.cases import (
    Picture,
    RegistrationCase,
    file_cases,
    spline_case,
)
from stn_perception.studies.registration.methods import Registered, by_similarity, by_spline
from stn_perception.studies.registration.slices import PACKAGE


def write_picture(path: Path) -> None:
    """Write a JPEG of two pairs, one below the other.

    View, source, their difference as they are, and the difference after registration.

    Args:
        path: Where, whole or not at all.
    """
    folder = package_files(PACKAGE)
    scaled = list(file_cases(folder))[-1]
    rows = [_row(scaled, by_similarity), _row(spline_case(folder), by_spline)]
    write_whole_file(path, jpeg(np.vstack(rows), 80))


def _row(
    case: RegistrationCase, method: Callable[[Picture, Picture], Registered]
) -> NDArray[np.uint8]:
    points = method(case.view, case.source).points.astype(np.float32)
    source = case.source.astype(np.float32)
    seen = cv2.remap(
        source, points[..., 0], points[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    before = np.abs(case.source - case.view)
    after = np.abs(seen - case.view)
    row = np.hstack([case.view, case.source, before, after])
    return np.clip(np.round(row), 0, 255).astype(np.uint8)
