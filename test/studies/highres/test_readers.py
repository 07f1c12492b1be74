# SPDX-License-Identifier: Apache-2.0
"""Both networks read what they say they read, at the place that they say."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from stn_perception.studies.digits.sets import upright_digits
from stn_perception.studies.errors import StudyError
from stn_perception.studies.highres.backdrops import HEIGHT_PX, WIDTH_PX
from stn_perception.studies.highres.looking import (
    CELL_PX,
    VIEW_PX,
    WINDOW_PX,
    LookingReader,
    PoseFinder,
)
from stn_perception.studies.highres.poses import window_theta
from stn_perception.studies.highres.reading import read_looking, read_whole
from stn_perception.studies.highres.study import HighresStudy
from stn_perception.studies.highres.whole import BACKGROUND, WholeReader
from stn_perception.studies.highres.whole_lesson import WholeLesson
from stn_perception.studies.highres.windows import window_corner
from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.learning.weights import read_weights, shipped_weights, weights_path


def test_theta_takes_the_middle_of_a_view_to_the_sign_and_its_corner_to_the_margin() -> None:
    pose = torch.tensor([[300.0, 200.0, math.log(80.0), math.radians(90)]])
    theta = window_theta(pose, torch.tensor([[200.0, 150.0]]), 256, 1.5)
    corner = theta[0] @ torch.tensor([1.0, 1.0, 1.0])
    pixel = ((corner + 1) * 256 - 1) / 2 + torch.tensor([200.0, 150.0])
    # A quarter of a turn takes +x to +y and +y to -x.
    torch.testing.assert_close(pixel, torch.tensor([300.0 - 60.0, 200.0 + 60.0]))


def test_the_finder_says_the_place_of_the_hottest_cell() -> None:
    finder = PoseFinder((4, 4)).eval()
    maps = torch.zeros(1, 5, 6, 8)
    maps[0, 0, 2, 5] = 50.0
    finder.last = _Constant(maps)  # type: ignore[assignment]
    poses, heat = finder(torch.zeros(1, 1, 24, 32))
    expected = [(5.5) * CELL_PX - 0.5, 2.5 * CELL_PX - 0.5]
    assert poses[0, :2].tolist() == pytest.approx(expected)
    assert heat.shape == (1, 6, 8)


class _Constant(torch.nn.Module):
    def __init__(self, value: Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: Tensor) -> Tensor:
        return self.value


def test_the_view_of_a_true_pose_is_the_upright_sign() -> None:
    network = LookingReader().eval()
    window = torch.zeros(1, 1, WINDOW_PX, WINDOW_PX)
    # A sign of 80 px about (140, 120), its left half dark.
    window[..., 80:160, 140:180] = 1.0
    pose = torch.tensor([[1139.5, 619.5, math.log(80.0), 0.0]])
    view = network.view(window, torch.tensor([[1000.0, 500.0]]), pose)[0, 0]
    inner = view[6:-6]
    assert float(inner[:, : VIEW_PX // 2 - 1].max()) < 0.05
    assert float(inner[:, VIEW_PX // 2 + 1 : -6].min()) > 0.95


def test_windows_stay_in_the_frame() -> None:
    assert window_corner((0.0, 0.0), WINDOW_PX) == (0, 0)
    assert window_corner((1e5, 1e5), WINDOW_PX) == (WIDTH_PX - WINDOW_PX, HEIGHT_PX - WINDOW_PX)


def test_the_whole_frame_is_read_in_its_surest_cell() -> None:
    network = WholeReader((4, 4), (2, 2)).eval()
    logits = torch.zeros(1, BACKGROUND + 1, 5, 7)
    logits[0, BACKGROUND] = 9.0
    logits[0, BACKGROUND, 3, 2] = 0.0
    logits[0, 7, 3, 2] = 5.0
    network.last = _Constant(logits)  # type: ignore[assignment]
    digits, cells = network.read(torch.zeros(1, 1, 20, 28))
    assert digits.tolist() == [7]
    assert cells.tolist() == [[2, 3]]


def test_cells_on_the_sign_have_its_digit_and_cells_far_away_are_background() -> None:
    lesson = WholeLesson(torch.nn.Identity(), cell_px=32, factor=1, window_px=256)
    pose = torch.tensor([[1128.0, 628.0, math.log(120.0), 0.0]])
    classes = lesson._classes(pose, torch.tensor([[1000.0, 500.0]]), torch.tensor([3]), 256)
    assert classes.shape == (1, 8, 8)
    assert int(classes[0, 4, 4]) == 3
    assert int(classes[0, 0, 0]) == int(classes[0, 4, 7]) == BACKGROUND


def test_the_looking_network_costs_a_twentieth_of_the_whole_one() -> None:
    study = HighresStudy()
    looking, whole = study.network("stn").eval(), study.network("full-frame").eval()
    assert isinstance(looking, LookingReader) and isinstance(whole, WholeReader)
    frame = np.zeros((HEIGHT_PX, WIDTH_PX), np.uint8)
    flops = []
    with torch.no_grad():
        for read in (lambda: read_looking(looking, frame), lambda: read_whole(whole, frame, 1)):
            with FlopCounterMode(display=False) as counter:
                read()
            flops.append(counter.get_total_flops())
    assert flops[1] > 20 * flops[0]
    assert parameter_count(looking) == pytest.approx(parameter_count(whole), rel=0.02)


def test_both_networks_learn_from_what_their_lessons_draw() -> None:
    try:
        upright_digits("train")
    except StudyError as error:
        pytest.skip(str(error))
    study = HighresStudy()
    for row in ("stn", "low-resolution"):
        torch.manual_seed(0)
        network = study.network(row)
        lesson = study.lesson(row, network)
        batch = lesson.batch(4, torch.Generator().manual_seed(0))
        loss = lesson.loss(network, batch)
        loss.backward()
        assert torch.isfinite(loss)
        without = [name for name, p in network.named_parameters() if p.grad is None]
        assert without == []


def test_the_shipped_weights_are_of_these_networks() -> None:
    study = HighresStudy()
    for row in study.rows:
        network = study.network(row)
        facts = read_weights(weights_path(shipped_weights(study.name), row, 0), network)
        assert facts.parameters == parameter_count(network)
