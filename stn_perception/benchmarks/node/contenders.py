# SPDX-License-Identifier: Apache-2.0
"""The nodes that are measured, and the topics that each answers on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from stn_perception.benchmarks.node.cases import Case

OURS = "canonicalizer"
PLAIN = "plain node"
RELAY = "relay (floor)"
_DEFAULT_WARM_UP = (1, 2, 4, 8)
_MOST_IN_ONE_BATCH = 64


@dataclass(frozen=True)
class Contender:
    """A node under measurement.

    Attributes:
        name: In the table.
        module: Run as a process.
        transport: Of the source and the sink beside it; the node sets its own.
        needs: Inputs that it subscribes to.
        arguments: Its command line for a case and a model file or name.
        view: Topic of a view, from camera and number.
        result: Topic of the results of a camera.
    """

    name: str
    module: str
    transport: Literal["tuned", "default"]
    needs: tuple[str, ...]
    arguments: Callable[[Case, str], list[str]]
    view: Callable[[str, int], str]
    result: Callable[[str], str]

    def view_topics(self, case: Case) -> list[str]:
        """Topics of all views of a case."""
        return [
            self.view(camera, number)
            for camera in case.camera_names
            for number in range(case.objects)
        ]

    def result_topics(self, case: Case) -> list[str]:
        """Topics of the results of all cameras."""
        return [self.result(camera) for camera in case.camera_names]


def contenders(threads: int) -> dict[str, Contender]:
    """All of them, by name.

    Args:
        threads: ``num_threads`` of the canonicalizer; 0 leaves its default.
    """
    return {each.name: each for each in (_ours(threads), _plain(), _relay())}


def _ours(threads: int) -> Contender:
    def arguments(case: Case, model: str) -> list[str]:
        batches = sorted({*_DEFAULT_WARM_UP, *_batches(case)})
        values = {
            "model": model,
            "cameras": _listed(f'"{name}"' for name in case.camera_names),
            "max_objects": str(max(case.objects, 1)),
            "warm_up_batches": _listed(map(str, batches)),
        }
        if threads:
            values["num_threads"] = str(threads)
        return ["--ros-args", *(p for k, v in values.items() for p in ("-p", f"{k}:={v}"))]

    return Contender(
        OURS,
        "stn_perception.node.main",
        "tuned",
        ("image", "camera_info", "detections"),
        arguments,
        lambda camera, number: f"/canonicalizer/{camera}/object_{number}/image_rect",
        lambda camera: f"/canonicalizer/{camera}/objects",
    )


def _plain() -> Contender:
    def arguments(case: Case, model: str) -> list[str]:
        from stn_perception.runtime.archive import resolve_model

        return [str(resolve_model(model)), *_cameras(case)]

    return Contender(
        PLAIN,
        "stn_perception.benchmarks.peers.plain_node",
        "default",
        ("image", "detections"),
        arguments,
        lambda camera, number: f"/plain/{camera}/view_{number}",
        lambda camera: f"/plain/{camera}/objects",
    )


def _relay() -> Contender:
    return Contender(
        RELAY,
        "stn_perception.benchmarks.node.relay",
        "tuned",
        ("image", "detections"),
        lambda case, model: _cameras(case),
        lambda camera, number: f"/relay/{camera}/view_{number}",
        lambda camera: f"/relay/{camera}/objects",
    )


def _cameras(case: Case) -> list[str]:
    return ["--cameras", *case.camera_names, "--objects", str(case.objects)]


def _batches(case: Case) -> list[int]:
    """Batch sizes that frames of one or several cameras lead to."""
    sizes = [case.objects * cameras for cameras in range(1, case.cameras + 1)]
    return [size for size in sizes if size <= _MOST_IN_ONE_BATCH]


def _listed(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"
