# SPDX-License-Identifier: Apache-2.0
"""How the deviations of quadrilaterals are calibrated before they are shipped."""

from pathlib import Path

import pytest
import torch

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.stn.quad_network import QuadNetwork
from stn_perception.training.calibration import CALIBRATION_SEED
from stn_perception.training.config import TrainingConfig
from stn_perception.training.measuring import measure_archive
from stn_perception.training.pool import scene
from stn_perception.training.quads import QuadsTask

SAMPLES = 60


def shipped() -> tuple[QuadNetwork, ModelCard]:
    """Return the shipped network as a module, and its card without the box's evidence."""
    archive = ModelArchive.open("planar", device="cpu")
    program = archive._network
    assert isinstance(program, torch.jit.ScriptModule)
    weights = program.state_dict()
    network = QuadNetwork(edge_width=len(weights["edges.first.convolution.weight"])).eval()
    network.fold()
    # A program also keeps the buffers that a checkpoint leaves out.
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    return network, archive.card.model_copy(update={"box_sigma": 0.0})


def test_flattened_and_shifted_deviations_are_set_right_again() -> None:
    network, card = shipped()
    power, shift = network.log_variance_scale.item(), network.log_variance_shift.item()
    with torch.no_grad():
        network.log_variance_scale.mul_(0.6)
        network.log_variance_shift.add_(3.0)
    task = QuadsTask(TrainingConfig(name="planar"))
    task.calibrate(network, card, SAMPLES)
    # The shipped values were fitted on more scenes, and of other settings.
    assert network.log_variance_scale.item() == pytest.approx(power, rel=0.35)
    assert network.log_variance_scale.item() > 0.75 * power
    assert network.log_variance_shift.item() != pytest.approx(shift + 3.0, abs=0.5)
    settings = task.config.scenes.settings
    scenes = [scene(CALIBRATION_SEED, i, settings, held_out=True) for i in range(SAMPLES)]
    archive = ModelArchive(network, card, torch.device("cpu"), Path(), "torchscript")
    errors = measure_archive(archive, scenes, card.refinement_steps)
    assert (errors.in_sigmas < 1).mean() == pytest.approx(0.6827, abs=0.01)
