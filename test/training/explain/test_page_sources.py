# SPDX-License-Identifier: Apache-2.0
"""What pages are made of: drawn scenes, recordings, folders of pictures, a user's own model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from stn_perception.cli import main
from stn_perception.runtime.archive import save_archive
from stn_perception.runtime.model_card import ModelCard

from .pages import Structure, explain


def test_generated_scenes_bring_their_own_truth(tmp_path: Path) -> None:
    page, numbers = tmp_path / "p.html", tmp_path / "n.json"
    assert explain("--generated", 12, "--seed", 5, "--output", page, "--json", numbers) == 0
    assert json.loads(numbers.read_text())["with_truth"] == 12
    assert "12 held-out scenes drawn with seed 5" in page.read_text(encoding="utf-8")


def test_a_bag_without_boxes_or_truth_shows_what_is_predicted(
    make_bag: Callable[..., Path], tmp_path: Path
) -> None:
    page, numbers = tmp_path / "p.html", tmp_path / "n.json"
    assert explain("--bag", make_bag("/front/image"), "--output", page, "--json", numbers) == 0
    found = json.loads(numbers.read_text())
    assert (found["cases"], found["with_truth"]) == (5, 0)
    assert "transforms" not in found and "reliability" not in found
    text = Structure(page.read_text(encoding="utf-8")).text
    assert "No truth is known here" in text and "worst by predicted deviation" in text
    assert "whole frames (the bag has no boxes)" in text


def test_a_folder_is_explained_with_labels_and_without(
    panel: Callable[[int], np.ndarray], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(3):
        cv2.imwrite(str(folder / f"{index}.png"), panel(index))
    page, numbers = tmp_path / "p.html", tmp_path / "n.json"
    assert explain("--folder", folder, "--output", page, "--json", numbers) == 0
    assert json.loads(numbers.read_text())["with_truth"] == 0
    quad = [[50, 30], [110, 40], [104, 92], [44, 84]]
    labels = tmp_path / "labels.json"
    labels.write_text(json.dumps({"pictures": {f"{i}.png": {"panel": quad} for i in range(3)}}))
    assert explain("--folder", folder, "--truth", labels, "--output", page, "--json", numbers) == 0
    found = json.loads(numbers.read_text())
    assert found["with_truth"] == 3
    assert found["error_of_side"]["median"] < 0.05


class Fixed(torch.nn.Module):
    """One transform for every crop, and nothing else."""

    def __init__(self, theta: list[list[float]]) -> None:
        super().__init__()
        self.register_buffer("theta", torch.tensor(theta))

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        return self.theta.unsqueeze(0).repeat(crops.shape[0], 1, 1)


@pytest.mark.parametrize(
    ("theta", "refused"),
    [([[0.9, 0.1, 0.0], [-0.1, 0.9, 0.0]], 0), ([[-0.9, 0.0, 0.0], [0.0, 0.9, 0.0]], 1)],
)
def test_a_users_bare_network_is_explained_too_even_where_it_has_no_answer(
    tmp_path: Path, theta: list[list[float]], refused: int
) -> None:
    model, page, numbers = (tmp_path / name for name in ("mine.pt", "p.html", "n.json"))
    card = ModelCard(name="mine", input_width=24, input_height=20, channels=3)
    save_archive(model, torch.jit.script(Fixed(theta)), card)
    arguments = ["--generated", 1, "--output", page, "--json", numbers]
    assert main(["models", "explain", str(model), *map(str, arguments)]) == 0
    found = json.loads(numbers.read_text())
    assert found["cases"] == 1 and sum(found["refused"].values()) == refused
    assert "reliability" not in found
    text = Structure(page.read_text(encoding="utf-8")).text
    assert f"{refused} of 1 cases gave no view" in text
    if not refused:
        assert found["what_moves"]["why_no_gradient"].endswith("gives no gradient of theta.")
        assert "Shown is occlusion alone" in text
