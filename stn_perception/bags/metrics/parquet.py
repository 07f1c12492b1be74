# SPDX-License-Identifier: Apache-2.0
"""Every view as a row of a Parquet file, for one's own analysis."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.measuring import Measured, measured
from stn_perception.bags.metrics.metric_names import METRICS
from stn_perception.runtime.whole_file import write_whole_file

_CORNERS = ("top_left", "top_right", "bottom_right", "bottom_left")
_TEXTS = ("bag", "camera", "model", "object_id", "class_id", "truth_id")
_INTEGERS = ("frame", "stamp_ns", "track_id", "symmetry")
_BOX = ("center_x_px", "center_y_px", "width_px", "height_px", "angle_rad")
_NUMBERS = ("score", "corner_sigma_px", "distance_m", "sharpness")


def write_parquet(evaluation: Evaluation, path: Path) -> None:
    """Write all views, whole or not at all; ``docs/metrics.md`` describes the columns.

    Rows stand by model, recording, camera, frame and object, whatever order the records have;
    what is not known is null. The metadata holds the command, the models and the recordings with
    their hashes, as JSON.

    Raises:
        BagError: pyarrow is not installed.
        OSError: It cannot be written.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise BagError(
            "a Parquet file needs pyarrow: pip install 'stn_perception[evaluate]'"
        ) from error
    found = measured(evaluation)
    arrays, fields = [], []
    for name, values in _columns(found).items():
        # An unknown number is null, not NaN.
        kind = pyarrow.string() if name in _TEXTS else None
        array = pyarrow.array(values, type=kind, mask=_unknown(values))
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type))
    schema = pyarrow.schema(fields, metadata=_metadata(evaluation))
    buffer = io.BytesIO()
    table = pyarrow.Table.from_arrays(arrays, schema=schema)
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    write_whole_file(path, buffer.getvalue())


def _columns(found: Measured) -> dict[str, Any]:
    views = found.views
    columns: dict[str, Any] = {name: getattr(views, name).tolist() for name in _TEXTS}
    columns |= {name: getattr(views, name) for name in _INTEGERS}
    for prefix, quads in (("", views.corners), ("true_", views.truth)):
        for corner, place in enumerate(_CORNERS):
            columns[f"{prefix}{place}_x_px"] = quads[:, corner, 0]
            columns[f"{prefix}{place}_y_px"] = quads[:, corner, 1]
    columns |= {f"box_{name}": views.box[:, k] for k, name in enumerate(_BOX)}
    columns |= {name: getattr(views, name) for name in _NUMBERS}
    columns["is_uncertain"] = views.is_uncertain
    columns |= {name: found.values[name] for name in METRICS if name in found.values}
    columns["cluster"] = found.clusters
    return columns


def _unknown(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return ~np.isfinite(values)
    return None


def _metadata(evaluation: Evaluation) -> dict[str, str]:
    models = {
        label: {"name": m.name, "version": m.version, "sha256": m.sha256}
        for label, m in evaluation.models.items()
    }
    bags = [{"name": b.name, "uri": b.uri, "sha256": b.sha256} for b in evaluation.bags]
    return {
        "command": evaluation.command,
        "models": json.dumps(models),
        "bags": json.dumps(bags),
    }
