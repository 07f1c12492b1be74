# SPDX-License-Identifier: Apache-2.0
"""Both networks look where they say, and neither has more parameters."""

import torch
from torch import nn

from stn_perception.studies.learning.lesson import parameter_count
from stn_perception.studies.localize.clothes import ClothesScenes
from stn_perception.studies.localize.overlap import overlap
from stn_perception.studies.localize.pyramid import cell_centers
from stn_perception.studies.localize.study import LocalizeStudy
from stn_perception.studies.localize.transformer_network import TransformerClassifier
from stn_perception.studies.localize.window_network import WINDOW_PX, WindowClassifier


def test_rows_have_equally_many_parameters() -> None:
    study = LocalizeStudy()
    counts = [parameter_count(study.network(row)) for row in study.rows]
    assert max(counts) < 1.02 * min(counts)


def test_a_cell_looks_where_its_convolution_is_centred() -> None:
    across = ((2 * torch.arange(9) + 1) / 9 - 1).expand(1, 1, 9, 9).contiguous()
    middle = nn.Conv2d(1, 1, 5, stride=2, padding=2, bias=False)
    with torch.no_grad():
        middle.weight.zero_()[:, :, 2, 2] = 1
        x = middle(across).flatten()
        y = middle(across.transpose(2, 3)).flatten()
    assert torch.allclose(cell_centers(0.5, 2, 5, 9), torch.stack([x, y], dim=1), atol=1e-6)


def test_the_box_is_what_the_classifier_sees() -> None:
    torch.manual_seed(0)
    network = TransformerClassifier()
    scenes = ClothesScenes().fixed("validation", 3)
    with torch.no_grad():
        theta = network.locate(scenes.images)
        views = network.transformer.canonicalize(scenes.images)
    assert torch.equal(theta, views.theta)
    assert torch.equal(theta[:, 0, 0], theta[:, 1, 1])
    assert not theta[:, 0, 1].any() and not theta[:, 1, 0].any()


def test_the_class_alone_teaches_the_localization() -> None:
    torch.manual_seed(0)
    network = TransformerClassifier()
    scenes = ClothesScenes().fixed("validation", 8)
    nn.functional.cross_entropy(network(scenes.images), scenes.labels).backward()
    for parameter in network.transformer.parameters():
        assert parameter.grad is not None and float(parameter.grad.abs().sum()) > 0


def test_the_best_window_lies_on_the_only_thing_there_is() -> None:
    network = WindowClassifier()
    cells = WINDOW_PX // 4
    ink = nn.Conv2d(1, 10, cells + 2, padding=1, bias=False)
    # A window of full ink with an empty rim is what this classifier has learned.
    with torch.no_grad():
        ink.weight.fill_(-1.0)[:, :, 1:-1, 1:-1] = 1.0
    network.windows = nn.Sequential(nn.AvgPool2d(4), ink)
    side_px, left_px, top_px = 32, 20, 40
    picture = torch.zeros(1, 1, 84, 84)
    picture[:, :, top_px : top_px + side_px, left_px : left_px + side_px] = 1.0
    half = side_px / 84
    x, y = ((2 * start_px + side_px) / 84 - 1 for start_px in (left_px, top_px))
    truth = torch.tensor([[[half, 0.0, x], [0.0, half, y]]])
    assert float(overlap(network.locate(picture), truth)) > 0.7
