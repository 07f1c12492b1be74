# SPDX-License-Identifier: Apache-2.0
"""Service ~/reload_model: another model is loaded beside the running one, then they swap."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from rclpy.task import Future
from std_srvs.srv import Trigger

from stn_perception.node.stop_signal import StoppedError, StopSignal
from stn_perception.runtime.archive_errors import ArchiveError, ModelError

if TYPE_CHECKING:
    from stn_perception.runtime.archive import ModelArchive


class ModelReload:
    """Loads in a thread of its own, so that messages are taken meanwhile.

    Args:
        node: The canonicalizer node.
        stop: Ends a loading that is under way.
    """

    def __init__(self, node: Any, stop: StopSignal) -> None:
        self._node = node
        self._stop = stop
        self._thread: threading.Thread | None = None
        node.create_service(Trigger, "~/reload_model", self._on_request)

    def join(self) -> None:
        """Wait for a loading that is under way."""
        if self._thread is not None:
            self._thread.join()

    async def _on_request(self, request: Any, response: Any) -> Any:
        session = self._node.session
        if session is None:
            response.message = "The node is not configured; configure loads the model."
            return response
        if self._thread is not None and self._thread.is_alive():
            response.message = "A model is being loaded already."
            return response
        loaded: Future[ModelArchive | str] = Future(executor=self._node.executor)
        self._thread = threading.Thread(
            target=self._load, args=(loaded,), name="canonicalizer_reload"
        )
        self._thread.start()
        result = await loaded
        if not isinstance(result, str) and session is self._node.session:
            session.pipeline.replace_model(result)
            response.success = True
            response.message = f"Model '{result.card.name}' {result.card.version} is in use."
            return response
        why = result if isinstance(result, str) else "The node was cleaned up meanwhile."
        kept = session.pipeline.archive.card.name
        response.message = f"The model '{kept}' stays in use: {why}"
        self._node.reporter.report("reload", response.message)
        return response

    def _load(self, loaded: Future[ModelArchive | str]) -> None:
        from stn_perception.node.model_loading import load_model

        try:
            settings, tell = self._node.parameters.model, self._node.get_logger().info
            loaded.set_result(load_model(settings, self._stop, tell))
        except (ArchiveError, ModelError, StoppedError) as error:
            loaded.set_result(str(error))
        except Exception as error:  # must reach the caller, who waits for an answer
            loaded.set_result(f"{type(error).__name__}: {error}")
        if self._node.executor is not None:
            self._node.executor.wake()
