# SPDX-License-Identifier: Apache-2.0
"""Services, parameters and the life cycle, called from outside as any tool would."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from node_harness import CameraClient, Client, RunningNode, wait_until
from node_models import FixedTurn, write_model
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from sensor_msgs.msg import Image
from std_srvs.srv import SetBool, Trigger
from vision_msgs.msg import Detection2DArray

pytestmark = pytest.mark.ros
NAME = "/canonicalizer"
GOOD = (160.0, 120.0, 100.0, 80.0)


class NotFinite(FixedTurn):
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).expand(crops.shape[0], 2, 3) / 0.0 * 0.0


class WrongShape(FixedTurn):
    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return torch.zeros(crops.shape[0], 5)


@pytest.fixture(scope="module")
def running(domain_id: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("models")
    model = write_model(folder)
    with RunningNode(domain_id, f"model:={model}") as node, Client(domain_id) as client:
        objects = client.collect(Detection2DArray, f"{NAME}/camera/objects").matched()
        camera = CameraClient(client).wait()
        yield SimpleNamespace(
            node=node, client=client, camera=camera, objects=objects, folder=folder, model=model
        )


def set_parameter(client: Client, name: str, value: ParameterValue) -> Any:
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value)])
    return client.call(SetParameters, f"{NAME}/set_parameters", request).results[0]


def text(value: str) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)


def real(value: float) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)


def whole(value: int) -> ParameterValue:
    return ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)


def works(running: SimpleNamespace) -> bool:
    stamp = running.camera.wait().send([GOOD])
    return len(running.objects.at(stamp).detections) == 1


def test_a_changed_parameter_takes_effect_at_once(running: SimpleNamespace) -> None:
    assert set_parameter(running.client, "max_image_width", whole(100)).successful
    running.camera.send([GOOD])
    wait_until(
        lambda: "too_large" in running.node.node.reporter.last,
        lambda: running.node.node.reporter.last,
    )
    assert set_parameter(running.client, "max_image_width", whole(8192)).successful
    assert works(running)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("smoothing", real(1.5), "smoothing"),
        ("view_kind", text("round"), "view_kind is 'round'"),
        ("fixed_regions", text("x"), "Wrong parameter type"),
        ("cameras", text("x"), "read-only"),
        ("max_objects", whole(3), "read-only"),
        ("max_boxes", whole(0), "max_boxes"),
        ("no_such_parameter", whole(3), "undeclared"),
    ],
)
def test_a_bad_value_is_refused_with_the_reason_and_the_running_one_stays(
    running: SimpleNamespace, name: str, value: ParameterValue, expected: str
) -> None:
    request = GetParameters.Request(names=[name])
    before = running.client.call(GetParameters, f"{NAME}/get_parameters", request).values
    parameters = running.node.node.parameters
    result = set_parameter(running.client, name, value)
    assert not result.successful
    assert expected in result.reason
    after = running.client.call(GetParameters, f"{NAME}/get_parameters", request).values
    assert before == after
    assert running.node.node.parameters == parameters
    assert works(running)


def test_parameters_describe_themselves(running: SimpleNamespace) -> None:
    request = DescribeParameters.Request(names=["sync_slop_s", "max_objects", "regions"])
    slop, objects, regions = running.client.call(
        DescribeParameters, f"{NAME}/describe_parameters", request
    ).descriptors
    assert slop.description
    assert slop.floating_point_range[0].to_value == 10.0
    assert objects.read_only and objects.integer_range[0].from_value == 1
    assert "full_frame" in regions.additional_constraints


def test_disabling_stops_taking_and_enabling_goes_on(running: SimpleNamespace) -> None:
    client, camera = running.client, running.camera
    response = client.call(SetBool, f"{NAME}/enable", SetBool.Request(data=False))
    assert response.success and response.message == "disabled"
    wait_until(lambda: camera.images.get_subscription_count() == 0, lambda: "still subscribed")
    assert client.call(SetBool, f"{NAME}/enable", SetBool.Request(data=True)).success
    assert works(running)


def bad_models(folder: Path, good: Path) -> dict[str, Path]:
    content = good.read_bytes()
    (folder / "cut.pt").write_bytes(content[: len(content) // 2])
    (folder / "pickled.pt").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    return {
        "cut": folder / "cut.pt",
        "pickled": folder / "pickled.pt",
        "not_finite": write_model(folder, "not_finite", NotFinite()),
        "wrong_shape": write_model(folder, "wrong_shape", WrongShape()),
        "absent": folder / "absent.pt",
    }


@pytest.mark.parametrize("kind", ["cut", "pickled", "not_finite", "wrong_shape", "absent"])
def test_a_bad_model_never_replaces_a_good_one(running: SimpleNamespace, kind: str) -> None:
    bad = bad_models(running.folder, running.model)[kind]
    assert set_parameter(running.client, "model", text(str(bad))).successful
    response = running.client.call(Trigger, f"{NAME}/reload_model", Trigger.Request())
    assert not response.success
    assert "'turn' stays in use" in response.message
    assert str(bad) in response.message
    assert "\n" not in response.message
    assert works(running)


def test_another_model_is_loaded_beside_the_running_one(running: SimpleNamespace) -> None:
    other = write_model(running.folder, "other")
    assert set_parameter(running.client, "model", text(str(other))).successful
    response = running.client.call(Trigger, f"{NAME}/reload_model", Trigger.Request())
    assert response.success, response.message
    assert "'other'" in response.message
    assert running.node.node.session.pipeline.archive.card.name == "other"
    assert works(running)


def test_a_lifecycle_manager_can_walk_the_node_through_its_states(
    running: SimpleNamespace,
) -> None:
    client, camera = running.client, running.camera

    def change(transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        return client.call(ChangeState, f"{NAME}/change_state", request).success

    def state() -> str:
        return client.call(GetState, f"{NAME}/get_state", GetState.Request()).current_state.label

    assert state() == "active"
    assert change(Transition.TRANSITION_DEACTIVATE)
    assert state() == "inactive"
    wait_until(lambda: camera.images.get_subscription_count() == 0, lambda: "still subscribed")
    assert change(Transition.TRANSITION_CLEANUP)
    assert state() == "unconfigured"
    response = client.call(Trigger, f"{NAME}/reload_model", Trigger.Request())
    assert not response.success and "not configured" in response.message
    assert set_parameter(client, "model", text("/no/such.pt")).successful
    assert not change(Transition.TRANSITION_CONFIGURE)
    assert state() == "unconfigured"
    assert set_parameter(client, "model", text(str(running.model))).successful
    assert change(Transition.TRANSITION_CONFIGURE)
    assert change(Transition.TRANSITION_ACTIVATE)
    assert works(running)


def test_without_a_listener_nothing_is_subscribed_and_only_wanted_slots_are_warped(
    running: SimpleNamespace,
) -> None:
    client, camera = running.client, running.camera
    running.objects.close()
    wait_until(lambda: camera.images.get_subscription_count() == 0, lambda: "still subscribed")
    views = running.node.node.counters["camera"].views_out
    before = views.total
    second = client.collect(Image, f"{NAME}/camera/object_1/image_rect").matched()
    running.objects = client.collect(Detection2DArray, f"{NAME}/camera/objects").matched()
    camera.wait()
    stamp = camera.send([GOOD, (60.0, 60.0, 50.0, 50.0)])
    second.at(stamp)
    assert len(running.objects.at(stamp).detections) == 2
    assert views.total - before == 1
    second.close()
