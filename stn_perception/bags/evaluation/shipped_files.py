# SPDX-License-Identifier: Apache-2.0
"""Archives on workers of other machines: sent along where their path leads nowhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stn_perception.bags.errors import BagError
from stn_perception.bags.evaluation.chunk import ModelChoice
from stn_perception.bags.opening.default_cache import default_cache
from stn_perception.runtime.whole_file import write_whole_file


def model_path(model: ModelChoice) -> Path:
    """Where this machine has the archive.

    Raises:
        BagError: Nowhere.
    """
    for path in (Path(model.path), _sent(model.sha256, Path(model.path).suffix)):
        if path.is_file() and _sha256(path.read_bytes()) == model.sha256:
            return path
    raise BagError(f"the archive {model.path} did not come to the worker, or it was changed.")


def send_models(client: Any, models: Sequence[ModelChoice]) -> None:
    """Bring archives to all workers of a cluster, present and future.

    Args:
        client: Of the cluster.
        models: Whose files this machine has.
    """
    from distributed.diagnostics.plugin import WorkerPlugin

    class Archives(WorkerPlugin):  # type: ignore[misc]  # distributed is not typed
        """Writes what the worker's machine lacks."""

        def __init__(self, files: Mapping[str, tuple[str, bytes]]) -> None:
            self._files = files

        def setup(self, worker: Any) -> None:
            for sha256, (suffix, content) in self._files.items():
                keep_model(sha256, suffix, content)

    files = {m.sha256: (Path(m.path).suffix, Path(m.path).read_bytes()) for m in models}
    client.register_plugin(Archives(files), name="stn_perception_archives")


def keep_model(sha256: str, suffix: str, content: bytes) -> None:
    """Write an archive to this machine's cache unless it is there."""
    path = _sent(sha256, suffix)
    if path.is_file() and _sha256(path.read_bytes()) == sha256:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, content)


def _sent(sha256: str, suffix: str) -> Path:
    return default_cache().parent / "models" / f"{sha256}{suffix}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
