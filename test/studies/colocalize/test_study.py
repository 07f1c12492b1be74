# SPDX-License-Identifier: Apache-2.0
"""What is common to a class is found without a label, by a search and by training."""

import torch

from stn_perception.studies.colocalize.found import found_percent, mean_overlap, views_of
from stn_perception.studies.colocalize.lesson import ColocalizationLesson
from stn_perception.studies.colocalize.localizers import DigitLocalizers
from stn_perception.studies.colocalize.pictures import CLASSES, class_pictures
from stn_perception.studies.colocalize.search import search
from stn_perception.studies.colocalize.table import summary_table, targets, worst_percent
from stn_perception.studies.learning.outcomes import RowOutcome


def test_the_search_finds_digits_and_knows_where_its_windows_lie() -> None:
    pictures = class_pictures(0, True, "validation", 40)
    theta = search(pictures.images)
    assert found_percent(theta, pictures) >= 90
    # Windows are 4 px apart: a window that lies 2 px off along both axes overlaps by 0.76.
    assert mean_overlap(theta, pictures) > 0.7


def test_the_search_finds_nothing_in_pictures_whose_digits_it_is_not_told() -> None:
    pictures = class_pictures(0, True, "validation", 40)
    other = class_pictures(0, True, "train", 40)
    assert found_percent(search(other.images), pictures) < 30


def test_every_class_learns_from_its_own_pictures_only() -> None:
    torch.manual_seed(0)
    network = DigitLocalizers()
    lesson = ColocalizationLesson(network, True, 10, "validation")
    generator = torch.Generator().manual_seed(0)
    for _ in range(8):
        batch = lesson.batch(4, generator)
    progress, pictures, places = batch
    assert float(progress) > 0.5 and all(len(some) == 4 for some in pictures)
    before = float(lesson.loss(network, batch))
    pictures[3] = torch.zeros_like(pictures[3])
    assert float(lesson.loss(network, batch)) != before
    network.zero_grad()
    lesson.loss(network, (progress, pictures, places)).backward()
    moved = [
        sum(
            float(p.grad.abs().sum()) for p in network.of(digit).parameters() if p.grad is not None
        )
        for digit in range(CLASSES)
    ]
    # Where there is nothing to be seen, nothing is learned; every other class goes on.
    assert moved[3] < 1e-3 * min(moved[:3] + moved[4:])


def test_an_untrained_transformer_looks_at_28_px_near_the_middle() -> None:
    torch.manual_seed(0)
    theta = views_of(DigitLocalizers().eval().of(5), class_pictures(5, True, "validation").images)
    assert torch.allclose(theta[:, 0, 0], torch.full((100,), 28 / 84))
    assert found_percent(theta, class_pictures(5, True, "validation")) < 50


def test_the_worst_class_of_the_worst_seed_is_held_to_the_limit() -> None:
    first = {f"found_{digit}": 100.0 for digit in range(CLASSES)}
    outcome = RowOutcome({0: first, 1: {**first, "found_1": 96.0}})
    assert worst_percent(outcome) == 96.0
    (target,) = targets({"cluttered": outcome, "translated": RowOutcome()})
    assert not target.is_met
    (row,) = summary_table({"translated": RowOutcome()})
    assert row["worst class, %"] == "not yet run"
