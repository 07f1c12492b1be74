# SPDX-License-Identifier: Apache-2.0
"""A view whose predicted error is above a parameter is marked, counted, and dropped if asked."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticArray
from node_harness import CameraClient, Client, RunningNode, wait_until
from node_messages import info_message
from node_models import FixedTurn, write_model
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from vision_msgs.msg import Detection2DArray

from stn_perception.messages.objects import hypothesis_score
from stn_perception.messages.outcomes import DropReason

pytestmark = pytest.mark.ros
OUT = "/canonicalizer/camera"
BOX = (160.0, 120.0, 100.0, 80.0)


class UnsureTurn(FixedTurn):
    """The same turn for every crop, its corners 0.1 of the half crop off."""

    def forward(self, crops: torch.Tensor) -> dict[str, torch.Tensor]:
        count = crops.shape[0]
        return {
            "theta": self.theta.unsqueeze(0).expand(count, 2, 3),
            "log_variance": torch.full([count, 8], 2.0).mul(torch.tensor(0.1).log()),
        }


@pytest.fixture(scope="module")
def running(domain_id: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    model = write_model(tmp_path_factory.mktemp("m"), "unsure", UnsureTurn())
    parameters = (
        f"model:={model}",
        "warm_up_batches:=[1]",
        "sync_timeout_s:=5.0",
        'object_size_m:=["=0.3,0.2"]',
    )
    with RunningNode(domain_id, *parameters) as node, Client(domain_id) as client:
        objects = client.collect(Detection2DArray, f"{OUT}/objects").matched()
        overlay = client.collect(Image, f"{OUT}/overlay").matched()
        diagnostics = client.collect(DiagnosticArray, "/diagnostics")
        camera = CameraClient(client).wait()
        yield SimpleNamespace(
            node=node, camera=camera, objects=objects, overlay=overlay, diagnostics=diagnostics
        )


def set_parameter(running: SimpleNamespace, name: str, value: float) -> None:
    (answer,) = running.node.node.set_parameters([Parameter(name, value=value)])
    assert answer.successful, answer.reason


def test_a_view_above_the_limit_is_marked_and_counted(running: SimpleNamespace) -> None:
    stamp = running.camera.send([BOX])
    (item,) = running.objects.at(stamp).detections
    assert hypothesis_score(item, "corner_sigma_px") == pytest.approx(4.5, rel=0.05)
    assert hypothesis_score(item, "is_uncertain") == 1
    overlay = running.overlay.at(stamp)
    pixels = np.frombuffer(overlay.data, np.uint8).reshape(overlay.height, overlay.width, 3)
    assert (pixels == (255, 0, 255)).all(axis=2).any()

    def counted(message: DiagnosticArray) -> bool:
        values = {each.key: each.value for status in message.status for each in status.values}
        return int(values.get("objects.uncertain", 0)) >= 1

    running.diagnostics.wait(counted)


def test_a_higher_limit_marks_it_no_more_while_the_node_runs(running: SimpleNamespace) -> None:
    set_parameter(running, "uncertain_corner_sigma", 0.5)
    (item,) = running.objects.at(running.camera.send([BOX])).detections
    assert hypothesis_score(item, "is_uncertain") == 0
    set_parameter(running, "uncertain_corner_sigma", 0.03)


def test_it_is_dropped_as_uncertain_if_asked(running: SimpleNamespace) -> None:
    set_parameter(running, "max_corner_sigma", 0.05)
    before = running.node.node.counters["camera"].uncertain.total
    stamp = running.camera.send([BOX])
    assert running.objects.at(stamp).detections == []
    running.node.wait_for_drop(DropReason.UNCERTAIN, "boxes")
    wait_until(lambda: running.node.boxes().waiting == 0, lambda: "boxes wait for ever")
    assert running.node.node.counters["camera"].uncertain.total == before
    set_parameter(running, "max_corner_sigma", 0.0)


def test_the_poses_covariance_arrives(running: SimpleNamespace) -> None:
    latched = running.node.node.counters["camera"].camera_infos
    before = latched.counts().used
    running.camera.infos.publish(info_message(1))
    wait_until(lambda: latched.counts().used == before + 1, lambda: "not latched")
    (item,) = running.objects.at(running.camera.send([BOX])).detections
    covariance = np.reshape(item.results[0].pose.covariance, (6, 6))
    assert item.results[0].pose.pose.position.z > 0
    assert (np.diag(covariance) > 0).all()
    assert np.allclose(covariance, covariance.T)
    # Along the optical axis: about z · corner deviation / side.
    sigma_z = np.sqrt(covariance[2, 2]) / item.results[0].pose.pose.position.z
    assert 0.01 < sigma_z < 0.2
