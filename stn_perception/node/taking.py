# SPDX-License-Identifier: Apache-2.0
"""The thread that takes camera messages, apart from the executor.

rclpy's executor builds its wait set anew, in Python and over every service, timer and subscription
of the node, two or three times for each message it takes. With this node's twenty entities that is
a millisecond a message, and all of it competes with the working thread for the interpreter. The
few subscriptions that carry frames get a wait set of their own; everything else stays with the
executor.

Their events (lost messages, incompatible quality of service) come along: in Fast DDS a reader
signals events and data by one condition, so an executor that waits for the events alone would wake
again and again as long as a message is not taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation

_LONGEST_WAIT_NS = 1_000_000_000  # a guard condition ends every wait; this is for the unforeseen


class OutsideExecutor(ReentrantCallbackGroup):  # type: ignore[misc]
    """Callback group that the executor leaves alone."""

    def can_execute(self, entity: Any) -> bool:
        """Whether the executor may wait for an entity of the group: never."""
        return False


class Taker:
    """Waits for subscriptions and calls them back, each message under ``lock``.

    Args:
        node: The rclpy node that the subscriptions belong to.
        lock: Held while a message is taken and handled, so that whoever holds it sees nothing
            change; to be held when subscriptions are added or removed.

    Attributes:
        group: Callback group that the subscriptions must be created with.
    """

    def __init__(self, node: Any, lock: threading.Lock) -> None:
        self.group = OutsideExecutor()
        self._node = node
        self._lock = lock
        self._subscriptions: tuple[Any, ...] = ()
        self._closed = False
        self._changed = node.create_guard_condition(_nothing, callback_group=self.group)
        self._thread: threading.Thread | None = None

    @property
    def failed(self) -> bool:
        """Whether the thread ended without being told to, which is a defect."""
        return self._thread is not None and not self._thread.is_alive()

    def add(self, subscription: Any) -> None:
        """Take this subscription's messages from now on."""
        self._subscriptions = (*self._subscriptions, subscription)
        self._changed.trigger()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="canonicalizer_taker")
            self._thread.start()

    def remove(self, subscription: Any) -> None:
        """Take no more of this subscription's messages."""
        self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)
        self._changed.trigger()

    def stop(self) -> None:
        """End the thread; not to be called while the lock is held."""
        self._closed = True
        self._changed.trigger()
        if self._thread is not None:
            self._thread.join()
        self._node.destroy_guard_condition(self._changed)

    def _run(self) -> None:
        while not self._closed:
            for subscription, take in self._ready(self._subscriptions):
                with self._lock:
                    if subscription in self._subscriptions:
                        take()

    def _ready(self, subscriptions: tuple[Any, ...]) -> list[tuple[Any, Callable[[], None]]]:
        """Wait for messages and events; the subscriptions that have some, and how to take them."""
        context = self._node.context.handle
        # What is in use is not destroyed before the wait ends, and a removal ends it.
        with ExitStack() as in_use:
            in_use.enter_context(context)
            waited_for = [each for each in subscriptions if _enter(in_use, each)]
            events = sum(len(each.event_handlers) for each in waited_for)
            waits = rclpy_implementation.WaitSet(len(waited_for), 1, 0, 0, 0, events, context)
            waits.clear_entities()
            waits.add_guard_condition(self._changed.handle)
            for each in waited_for:
                waits.add_subscription(each.handle)
                for handler in each.event_handlers:
                    handler.add_to_wait_set(waits)
            waits.wait(_LONGEST_WAIT_NS)
            return list(_takes(waits, waited_for))


def _takes(waits: Any, waited_for: list[Any]) -> Iterator[tuple[Any, Callable[[], None]]]:
    with_message = set(waits.get_ready_entities("subscription"))
    for each in waited_for:
        if each.handle.pointer in with_message:
            yield each, partial(_take_message, each)
        for handler in each.event_handlers:
            if handler.is_ready(waits):
                yield each, partial(_take_event, handler)


def _take_message(subscription: Any) -> None:
    with subscription.handle:
        taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
    if taken is not None:
        subscription.callback(*taken)


def _take_event(handler: Any) -> None:
    event = handler.take_data()
    if event is not None:
        handler.callback(event)


def _enter(in_use: ExitStack, subscription: Any) -> bool:
    """Keep a subscription and its events from being destroyed; tell whether it still exists."""
    try:
        in_use.enter_context(subscription.handle)
        for handler in subscription.event_handlers:
            in_use.enter_context(handler)
    except rclpy_implementation.InvalidHandle:
        return False
    return True


def _nothing() -> None:
    """A guard condition must have a callback; this one only ends a wait."""
