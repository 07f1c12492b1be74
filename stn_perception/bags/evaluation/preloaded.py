# SPDX-License-Identifier: Apache-2.0
"""What worker processes are born with: everything imported, compiled code loaded."""

from __future__ import annotations

from stn_perception.bags.evaluation.lasting_imports import lasting_imports

with lasting_imports():
    import distributed

    from stn_perception.bags.evaluation import pictures, predicting, view_work
    from stn_perception.runtime.backends import get_backend

    get_backend("auto")

__all__ = ["distributed", "pictures", "predicting", "view_work"]
