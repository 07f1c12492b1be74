# SPDX-License-Identifier: Apache-2.0
"""What worker processes are born with: everything imported, compiled code loaded."""

from __future__ import annotations

from stn_perception.bags.evaluation import predicting, view_work
from stn_perception.runtime.backends import get_backend

__all__ = ["predicting", "view_work"]

get_backend("auto")
