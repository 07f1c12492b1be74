# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: parameters in, transitions, services and health; the work is elsewhere."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rclpy.clock import Clock, ClockType, JumpThreshold
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_srvs.srv import SetBool

from stn_perception.node.camera_counters import CameraCounters
from stn_perception.node.camera_input import DETECTIONS_TYPE
from stn_perception.node.declare import check_qos_overrides, take_overrides, watch_changes
from stn_perception.node.endpoints import qos_override_names
from stn_perception.node.exit_codes import EXIT_CLEAN, EXIT_FAILED, EXIT_USAGE
from stn_perception.node.health import Health
from stn_perception.node.import_errors import explain_import_error
from stn_perception.node.message_factory import RclpyFactory, missing_message_type
from stn_perception.node.model_reload import ModelReload
from stn_perception.node.name_guard import name_conflict
from stn_perception.node.reporter import Reporter
from stn_perception.node.startup import Startup
from stn_perception.node.stop_signal import StoppedError, StopSignal
from stn_perception.runtime.archive_errors import ArchiveError, ModelError
from stn_perception.runtime.parameters.parameters import NodeParameters, ParameterError

if TYPE_CHECKING:
    from stn_perception.node.session import Session

NODE_NAME = "canonicalizer"
_PULSE_S = 0.1
_DIAGNOSTICS_S = 1.0


class RefusedError(RuntimeError):
    """The node cannot be configured; the message is one sentence for the user."""

    def __init__(self, sentence: str, code: int) -> None:
        super().__init__(sentence)
        self.code = code


class CanonicalizerNode(LifecycleNode):  # type: ignore[misc]
    """Node ``canonicalizer``.

    Args:
        context: rclpy's, initialised.
        stop: Ends a configure that is under way.
        startup: Where the time of a start goes; from now on if None.

    Attributes:
        parameters: The running parameters, validated.
        refusal_code: What the process returns when the node could not be configured.
        failure: Why the node cannot go on; "" while it can.
        finalized: Whether a shutdown transition ended it.

    Raises:
        ParameterError: The parameters given are unknown or impossible.
    """

    def __init__(self, context: Context, stop: StopSignal, startup: Startup | None = None) -> None:
        super().__init__(NODE_NAME, context=context)
        self._created_s = time.monotonic()
        self._startup = startup or Startup()
        self._startup.mark("joining the graph")
        self._stop = stop
        self.refusal_code = EXIT_CLEAN
        self.failure = ""
        self.finalized = False
        self._active = False
        self._enabled = True
        self._session: Session | None = None
        self.parameters, overrides = take_overrides(self)
        check_qos_overrides(
            overrides, qos_override_names(self.parameters, self.resolve_topic_name)
        )
        watch_changes(self, lambda: self.parameters, self._change)
        self.reporter = Reporter(self.get_logger().warning)
        self.counters = {name: CameraCounters() for name in self.parameters.inputs.cameras}
        self._factory = RclpyFactory()
        self._reload = ModelReload(self, stop)
        self._health = Health(self, self._factory)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_service(SetBool, "~/enable", self._on_enable)
        self.create_timer(_PULSE_S, self._on_pulse, clock=steady)
        self.create_timer(_DIAGNOSTICS_S, self._health.publish, clock=steady)
        self._jump_handle = self.get_clock().create_jump_callback(
            JumpThreshold(
                min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=False
            ),
            post_callback=self._on_clock_jump,
        )

    @property
    def session(self) -> Session | None:
        """What configure made, or None."""
        return self._session

    @property
    def state(self) -> str:
        """unconfigured, inactive, disabled or active."""
        if self._session is None:
            return "unconfigured"
        if not self._active:
            return "inactive"
        return "active" if self._enabled else "disabled"

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up the model, create publishers, be ready."""
        return self._transition(self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe, or wait for somebody to listen."""
        return self._transition(self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe."""
        return self._transition(self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything that configure made."""
        return self._transition(self._free)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything; the process ends."""
        self.finalized = True
        return self._transition(self._free)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything and be configurable again."""
        return self._transition(self._free)

    def close(self) -> None:
        """Free everything, whatever the state."""
        self._reload.join()
        self._free()

    def _transition(self, action: Callable[[], None]) -> TransitionCallbackReturn:
        # rclpy turns an exception into an error state without a word.
        try:
            action()
        except StoppedError:
            return TransitionCallbackReturn.FAILURE
        except (ArchiveError, ModelError, RefusedError) as error:
            self.refusal_code = getattr(error, "code", EXIT_FAILED)
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception:
            self.refusal_code = EXIT_FAILED
            self.get_logger().fatal(f"Defect in a transition:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self._require_message_types()
        # Not before: loading PyTorch takes longer than joining the graph, which goes on meanwhile.
        try:
            from stn_perception.node.model_loading import load_model, warm_up_pipeline
            from stn_perception.node.session import Session
        except (ImportError, AttributeError) as error:
            raise RefusedError(explain_import_error(error), EXIT_USAGE) from error
        self._startup.mark("imports of the pipeline")
        archive = load_model(self.parameters.model, self._stop, self.get_logger().info)
        warm_up_pipeline(archive, self.parameters.pipeline)
        self._startup.mark("model and warm-up")
        conflict = name_conflict(self, self._created_s, self._stop, self.get_logger().warning)
        if conflict:
            raise RefusedError(conflict, EXIT_USAGE)
        self._startup.mark("name check")
        if self._stop.is_set():
            raise StoppedError
        self._session = Session(
            self, lambda: self.parameters, archive, self.counters, self.reporter
        )

    def _activate(self) -> None:
        self._active = True
        self._on_pulse()
        cameras = ", ".join(f"'{name}'" for name in self.counters)
        self.get_logger().info(f"Active with {cameras}. {self._startup.sentence()}")

    def _deactivate(self) -> None:
        self._active = False
        self._on_pulse()

    def _free(self) -> None:
        self._active = False
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _require_message_types(self) -> None:
        missing = missing_message_type(DETECTIONS_TYPE)
        if not missing:
            return
        if self.parameters.inputs.regions == "detections":
            raise RefusedError(
                f"{missing} Until then regions must be full_frame or fixed, it is 'detections'.",
                EXIT_USAGE,
            )
        self.get_logger().warning(f"{missing} The topics '~/<camera>/objects' are left out.")

    def _on_pulse(self) -> None:
        session = self._session
        if session is None:
            return
        session.take(self._active and self._enabled)
        session.expire()
        if not session.threads_alive:
            self.failure = "A thread of the node ended unexpectedly."
            self.get_logger().fatal(self.failure)
            self.finalized = True

    def _on_enable(self, request: Any, response: Any) -> Any:
        self._enabled = bool(request.data)
        self._on_pulse()
        response.success = True
        response.message = "enabled" if self._enabled else "disabled"
        return response

    def _on_clock_jump(self, jump: Any) -> None:
        if self._session is not None:
            self._session.forget_the_past()

    def _change(self, parameters: NodeParameters) -> None:
        if self._session is not None:
            try:
                self._session.change(parameters)
            except ValueError as error:
                raise ParameterError(f"Invalid parameter: {error}.") from error
        self.parameters = parameters
