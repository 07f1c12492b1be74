# SPDX-License-Identifier: Apache-2.0
"""One run of the real graph: player, node and recorder, each a process of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from stn_perception.bags.summary import RunSummary
from stn_perception.node.demo_numbers import NodeCounts, node_counts, read_passages, summarize
from stn_perception.node.demo_plan import NODE, SLOTS, CameraInBag
from stn_perception.node.demo_processes import Child, Children
from stn_perception.node.demo_watcher import GraphWatcher
from stn_perception.node.recorder import NODE_NAME as RECORDER
from stn_perception.node.stop_signal import StopSignal

_START_TIMEOUT_S = 120.0
_MATCH_TIMEOUT_S = 30.0
_SETTLE_TIMEOUT_S = 5.0
# A recording may bring the parameters that fit it.
PARAMETERS_BESIDE_BAG = "params.yaml"
# The node and the recorder take every input.
_LISTENERS = 2


class DemoError(Exception):
    """The demo cannot go on; the message is one sentence for the user."""


class Interrupted(Exception):  # noqa: N818 - no error: the user asked for it
    """Ctrl-C."""


@dataclass(frozen=True)
class GraphRun:
    """What to run.

    Attributes:
        bag: The bag to play.
        camera: The camera in it.
        model: Shipped model's name or path of an archive.
        rate: Playing speed.
        duration_s: Play only so many seconds; None for all.
        recording: Where the recorder writes its bag.
        logs: Folder for the processes' output and time logs.
        stop: Ends the run.
    """

    bag: Path
    camera: CameraInBag
    model: str
    rate: float
    duration_s: float | None
    recording: Path
    logs: Path
    stop: StopSignal

    def play(self) -> RunSummary:
        """Run the graph from start to end and return its numbers.

        Raises:
            DemoError: A process failed; its last words are in the message.
            Interrupted: Stop was asked for.
        """
        with Children(self.logs) as children:
            say("starting the canonicalizer node and the recorder")
            node = children.start("node", "stn_perception.node.main", self._node_arguments())
            recorder = children.start(
                "recorder", "stn_perception.node.recorder", self._recorder_arguments()
            )
            with GraphWatcher(NODE, self.stop) as watcher:
                self._wait_until_ready(watcher, node, recorder)
                player = children.start(
                    "player", "stn_perception.node.player", self._player_arguments()
                )
                say(f"playing {self.bag}")
                self._wait_for_player(watcher, node, recorder, player)
                counts = self._settled_counts(watcher)
                model = watcher.diagnostics("model")
            say("closing the recording")
            if recorder.stop() != 0:
                raise DemoError(f"the recorder failed: {recorder.last_words()}")
            if (code := node.stop()) != 0:
                raise DemoError(f"the node ended with {code}: {node.last_words()}")
        report = json.loads((self.logs / "player.json").read_text(encoding="utf-8"))
        return summarize(
            read_passages(self.logs / "sent.jsonl"),
            read_passages(self.logs / "received.jsonl"),
            self.camera.image_topic,
            counts,
            model,
            int(report["late"]),
        )

    def _node_arguments(self) -> list[str]:
        model = self.model.replace("'", "''")
        parameters = {
            "model": f"'{model}'",
            "cameras": f"['{self.camera.name}']",
            "image_transport": self.camera.transport,
            "max_objects": str(SLOTS),
        }
        given = [word for item in parameters.items() for word in ("-p", "{}:={}".format(*item))]
        beside = self.bag / PARAMETERS_BESIDE_BAG
        if beside.is_file():
            given += ["--params-file", str(beside)]
        return ["--ros-args", *given]

    def _recorder_arguments(self) -> list[str]:
        topics = [*self.camera.inputs, *self.camera.output_topics(), "/diagnostics"]
        log = str(self.logs / "received.jsonl")
        return [str(self.recording), "--topics", *topics, "--arrival-log", log]

    def _player_arguments(self) -> list[str]:
        arguments = [str(self.bag), "--rate", str(self.rate), "--no-clock"]
        arguments += ["--topics", *self.camera.inputs]
        arguments += ["--wait-for-subscribers", str(_LISTENERS)]
        arguments += ["--wait-timeout", str(_MATCH_TIMEOUT_S)]
        arguments += ["--publish-log", str(self.logs / "sent.jsonl")]
        arguments += ["--json", str(self.logs / "player.json")]
        if self.duration_s is not None:
            arguments += ["--duration", str(self.duration_s)]
        return arguments

    def _wait_until_ready(self, watcher: GraphWatcher, node: Child, recorder: Child) -> None:
        outputs = self.camera.output_topics()

        def ready() -> bool:
            self._check_alive(node, recorder)
            return watcher.node_is_active() and watcher.listens(RECORDER, outputs)

        if not watcher.wait_until(ready, _START_TIMEOUT_S):
            self._raise_if_stopped()
            what = "the recorder" if watcher.node_is_active() else "the node"
            raise DemoError(f"{what} was not ready within {_START_TIMEOUT_S:.0f} s.")

    def _wait_for_player(
        self, watcher: GraphWatcher, node: Child, recorder: Child, player: Child
    ) -> None:
        length_s = self.camera.length_s
        if self.duration_s is not None:
            length_s = min(length_s, self.duration_s)
        timeout_s = _MATCH_TIMEOUT_S + length_s / self.rate + _START_TIMEOUT_S

        def played() -> bool:
            self._check_alive(node, recorder)
            return player.exit_code() is not None

        if not watcher.wait_until(played, timeout_s):
            self._raise_if_stopped()
            raise DemoError(f"the player was not done within {timeout_s:.0f} s.")
        if player.exit_code() != 0:
            raise DemoError(f"the player failed: {player.last_words()}")

    def _settled_counts(self, watcher: GraphWatcher) -> NodeCounts:
        """Wait until the node has told of every frame that was sent, or has had its time."""
        sent = sum(
            p.topic == self.camera.image_topic for p in read_passages(self.logs / "sent.jsonl")
        )

        def settled() -> bool:
            counts = node_counts(watcher.diagnostics(self.camera.name))
            return counts.settled and counts.received >= sent

        watcher.wait_until(settled, _SETTLE_TIMEOUT_S)
        self._raise_if_stopped()
        return node_counts(watcher.diagnostics(self.camera.name))

    def _check_alive(self, *children: Child) -> None:
        for child in children:
            if child.exit_code() is not None:
                self._raise_if_stopped()
                raise DemoError(f"the {child.name} ended: {child.last_words()}")

    def _raise_if_stopped(self) -> None:
        if self.stop.is_set():
            raise Interrupted


def say(sentence: str) -> None:
    """Tell what goes on."""
    print(f"{sentence} ...", flush=True)
