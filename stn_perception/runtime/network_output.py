# SPDX-License-Identifier: Apache-2.0
"""What a localization network returns, checked and brought into one form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.runtime.archive_errors import ModelError

_KEYS = ("theta", "log_variance", "score", "class_logits")
_EXPECTED = "expected theta N×2×3 or N×3×3, or a dict with it"


@dataclass(frozen=True)
class NetworkOutput:
    """Predictions for N crops.

    Attributes:
        theta: float64 N×3×3, crop_from_view in normalised axes (``align_corners=False``).
        log_variance: float64 N×8 of the view's corners (x, y of TL, TR, BR, BL) in normalised
            crop axes, or None.
        score: float64 N, or None.
        class_logits: float64 N×classes, or None.
    """

    theta: NDArray[np.float64]
    log_variance: NDArray[np.float64] | None = None
    score: NDArray[np.float64] | None = None
    class_logits: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.theta)

    def at(self, places: NDArray[np.intp]) -> NetworkOutput:
        """The predictions for some of the crops."""
        chosen = (
            None if values is None else values[places]
            for values in (self.log_variance, self.score, self.class_logits)
        )
        return NetworkOutput(self.theta[places], *chosen)


def read_network_output(output: Any, batch_size: int) -> NetworkOutput:
    """Check types and shapes of what ``forward`` returned for ``batch_size`` crops.

    Values are not judged: one bad crop must not take the batch with it.

    Raises:
        ModelError: A wrong type, key or shape.
    """
    if isinstance(output, torch.Tensor):
        output = {"theta": output}
    if not isinstance(output, dict):
        raise ModelError(f"The network returned a {type(output).__name__}, {_EXPECTED}.")
    if "theta" not in output:
        raise ModelError(f"The network returned a dict with {sorted(output)}, {_EXPECTED}.")
    unknown = sorted(set(output) - set(_KEYS))
    if unknown:
        raise ModelError(f"The network returned the unknown outputs {unknown}, expected {_KEYS}.")
    arrays = {key: _as_float64(key, value) for key, value in output.items() if value is not None}
    _check_shape("log_variance", arrays.get("log_variance"), batch_size, (8,))
    _check_shape("class_logits", arrays.get("class_logits"), batch_size, None)
    return NetworkOutput(
        theta=_square_theta(arrays["theta"], batch_size),
        log_variance=arrays.get("log_variance"),
        score=_flat_score(arrays.get("score"), batch_size),
        class_logits=arrays.get("class_logits"),
    )


def _as_float64(key: str, value: Any) -> NDArray[np.float64]:
    if not isinstance(value, torch.Tensor):
        raise ModelError(
            f"The network's {key} is a {type(value).__name__}, expected a float tensor."
        )
    if not value.is_floating_point():
        raise ModelError(f"The network's {key} has type {value.dtype}, expected a float tensor.")
    if value.dtype == torch.bfloat16:  # which NumPy does not know
        value = value.to(torch.float32)
    array: NDArray[np.float64] = value.detach().cpu().numpy().astype(np.float64)
    return array


def _square_theta(theta: NDArray[np.float64], batch_size: int) -> NDArray[np.float64]:
    if theta.shape == (batch_size, 3, 3):
        return theta
    if theta.shape == (batch_size, 2, 3):
        last_row = np.broadcast_to(np.array([0.0, 0.0, 1.0]), (batch_size, 1, 3))
        return np.concatenate([theta, last_row], axis=1)
    raise ModelError(
        f"The network's theta has shape {theta.shape} for {batch_size} crops, "
        f"expected ({batch_size}, 2, 3) or ({batch_size}, 3, 3)."
    )


def _flat_score(score: NDArray[np.float64] | None, batch_size: int) -> NDArray[np.float64] | None:
    if score is None:
        return None
    if score.shape not in ((batch_size,), (batch_size, 1)):
        raise ModelError(f"The network's score has shape {score.shape}, expected ({batch_size},).")
    return score.reshape(batch_size)


def _check_shape(
    key: str, array: NDArray[np.float64] | None, batch_size: int, rest: tuple[int, ...] | None
) -> None:
    if array is None:
        return
    right = array.ndim == 2 and array.shape[0] == batch_size
    if not right or (rest is not None and array.shape[1:] != rest):
        wanted = f"({batch_size}, {'classes' if rest is None else rest[0]})"
        raise ModelError(f"The network's {key} has shape {array.shape}, expected {wanted}.")
