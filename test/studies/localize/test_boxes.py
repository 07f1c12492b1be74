# SPDX-License-Identifier: Apache-2.0
"""Boxes are judged by their true overlap, and by one size for all of them."""

import pytest
import torch
from torch import Tensor, nn

from stn_perception.stn import scaled_about_center
from stn_perception.studies.localize.boxes import best_factor, boxes_of, mean_overlap
from stn_perception.studies.localize.clothes import ClothesScenes
from stn_perception.studies.localize.overlap import overlap


def square(x: float, y: float, half: float) -> Tensor:
    return torch.tensor([[[half, 0.0, x], [0.0, half, y]]])


@pytest.mark.parametrize(
    ("box", "shared"),
    [
        (square(0.1, 0.2, 0.3), 1.0),
        (square(0.4, 0.2, 0.3), 1 / 3),  # half a side along x: 1/2 of 3/2
        (square(0.4, 0.5, 0.3), 1 / 7),  # and along y: 1/4 of 7/4
        (square(0.1, 0.2, 0.6), 1 / 4),
        (square(-0.6, 0.2, 0.3), 0.0),
    ],
)
def test_overlap_is_the_shared_area_of_the_joint_one(box: Tensor, shared: float) -> None:
    truth = square(0.1, 0.2, 0.3)
    assert float(overlap(box, truth)) == pytest.approx(shared, abs=1e-6)
    assert float(overlap(truth, box)) == pytest.approx(shared, abs=1e-6)


class Knowing(nn.Module):
    """Finds the validation scenes' objects, too small by a third."""

    def __init__(self) -> None:
        super().__init__()
        self.ratio = nn.Parameter(torch.tensor(1 / 1.5))
        self.done = 0

    def locate(self, images: Tensor) -> Tensor:
        truth = ClothesScenes().fixed("validation", 120).truth[self.done : self.done + len(images)]
        self.done += len(images)
        return scaled_about_center(truth, float(self.ratio))


def test_boxes_that_are_all_too_small_are_right_at_one_factor() -> None:
    scenes = ClothesScenes().fixed("validation", 120)
    boxes = boxes_of(Knowing(), scenes)
    assert boxes.shape == (120, 2, 3)
    assert mean_overlap(boxes, scenes) == pytest.approx(1 / 1.5**2, abs=1e-4)
    factor = best_factor(boxes, scenes)
    assert factor == pytest.approx(1.5, abs=0.011)
    assert mean_overlap(boxes, scenes, factor) > 0.97
