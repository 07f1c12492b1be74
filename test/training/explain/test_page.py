# SPDX-License-Identifier: Apache-2.0
"""The page: one file that stands alone, says what it was made of, and shows it in a browser."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from stn_perception.cli import main
from stn_perception.runtime.archive import resolve_model, save_archive
from stn_perception.runtime.model_card import ModelCard

SAMPLE = Path(__file__).parents[3] / "samples" / "duckiebot"
BROWSER = next(
    (b for n in ("chromium", "chromium-browser", "google-chrome") if (b := shutil.which(n))), None
)


class Structure(HTMLParser):
    """Tags that are open and shut, what is referred to, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.counts: dict[str, int] = {}
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.references += [v or "" for k, v in attributes if k in ("src", "href", "xlink:href")]
        if tag not in ("meta", "img", "br", "link"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def explain(*arguments: str | Path) -> int:
    return main(["models", "explain", "planar", *map(str, arguments)])


@pytest.fixture(scope="module")
def sample_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    page = folder / "planar.html"
    assert (
        explain("--bag", SAMPLE, "--limit", 40, "--output", page, "--json", folder / "n.json") == 0
    )
    return page


def test_the_page_stands_alone_and_is_well_formed(sample_page: Path) -> None:
    text = sample_page.read_text(encoding="utf-8")
    structure = Structure(text)
    assert structure.references and all(r.startswith("data:") for r in structure.references)
    assert "url(" not in text and "@import" not in text and "<script" not in text
    assert set(re.findall(r"https?://[^\s\"'<]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert len(text) < 3_000_000


def test_it_names_model_command_and_source(sample_page: Path) -> None:
    numbers = json.loads((sample_page.parent / "n.json").read_text())
    text = Structure(sample_page.read_text(encoding="utf-8")).text
    digest = hashlib.sha256(resolve_model("planar").read_bytes()).hexdigest()
    assert numbers["file_sha256"] == digest
    assert digest in text and numbers["weights_sha256"] in text
    command = (
        f"stn models explain planar --bag {SAMPLE} --seed 7 --limit 40 --output {sample_page}"
    )
    assert numbers["command"] == command and command in text
    assert "/camera/image/compressed, boxes of /camera/detections, 40 of 807" in text


def test_it_shows_truth_deviations_sensitivity_and_failures(sample_page: Path) -> None:
    numbers = json.loads((sample_page.parent / "n.json").read_text())
    structure = Structure(sample_page.read_text(encoding="utf-8"))
    assert numbers["cases"] == numbers["with_truth"] == 40
    parts = {part["part"]: part for part in numbers["transforms"]}
    assert parts["angle, °"]["r_squared"] > 0.95
    assert parts["angle, °"]["median_error"] < 3
    assert numbers["error_of_side"]["median"] < 0.03
    assert sum(row["count"] for row in numbers["reliability"]["bins"]) == 40 * 8
    shares = [row["marked"] for row in numbers["marking"]]
    assert shares == sorted(shares, reverse=True)
    moved = numbers["what_moves"]
    for name in ("gradient_shares", "occlusion_shares", "area_shares"):
        assert sum(moved[name].values()) == pytest.approx(1, abs=1e-6)
    # What a network of corners looks at: corners, more than their area.
    assert moved["gradient_shares"]["corners"] > 1.2 * moved["area_shares"]["corners"]
    for heading in ("What it predicts", "How sure it is", "What moves it", "Where it fails"):
        assert heading in structure.text
    assert f"R² = {parts['angle, °']['r_squared']:.4f}" in structure.text
    assert structure.counts["figure"] >= 2 + 9 + 10


def test_the_same_command_gives_the_same_bytes(sample_page: Path) -> None:
    before = sample_page.read_bytes()
    assert explain("--bag", SAMPLE, "--limit", 40, "--output", sample_page) == 0
    assert sample_page.read_bytes() == before


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


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert explain(*arguments) == 1
    text = capsys.readouterr().err
    assert text.startswith("stn models explain: ") and text.count("\n") == 1
    return text


def test_wrong_inputs_are_one_sentence_each(
    capsys: pytest.CaptureFixture[str], make_bag: Callable[..., Path], tmp_path: Path
) -> None:
    page = ("--output", tmp_path / "p.html")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no pictures" in refusal(capsys, "--folder", empty, *page)
    assert "there is no folder" in refusal(capsys, "--folder", tmp_path / "none", *page)
    (empty / "broken.png").write_bytes(b"no picture")
    assert "broken.png cannot be read" in refusal(capsys, "--folder", empty, *page)
    assert "there is no bag" in refusal(capsys, "--bag", tmp_path / "none", *page)
    bag = make_bag("/left/image", "/right/image")
    assert "no topic /front/image" in refusal(
        capsys, "--bag", bag, "--topic", "/front/image", *page
    )
    assert "several image topics" in refusal(capsys, "--bag", bag, *page)
    assert "expected at least 1" in refusal(capsys, "--generated", "0", *page)
    assert "ends in .html" in refusal(capsys, "--generated", "2", "--output", tmp_path / "p.pdf")
    assert "there is no truth file" in refusal(
        capsys, "--bag", SAMPLE, "--truth", tmp_path / "none.json", *page
    )
    (tmp_path / "odd.json").write_text("[1]")
    assert "neither 'frames'" in refusal(
        capsys, "--bag", SAMPLE, "--truth", tmp_path / "odd.json", *page
    )
    assert not (tmp_path / "p.html").exists()


def test_an_unreadable_frame_is_named(
    capsys: pytest.CaptureFixture[str], make_bag: Callable[..., Path], tmp_path: Path
) -> None:
    bag = make_bag("/front/image", encoding="jpeg2000")
    text = refusal(capsys, "--bag", bag, "--output", tmp_path / "p.html")
    assert "the frame of /front/image" in text and "cannot be read" in text


@pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed to draw the page with")
@pytest.mark.slow
def test_a_browser_draws_outlines_charts_and_heat(sample_page: Path, tmp_path: Path) -> None:
    shot = tmp_path / "shot.png"
    done = subprocess.run(
        [
            str(BROWSER),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--window-size=1160,5000",
            f"--screenshot={shot}",
            sample_page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    picture = cv2.imread(str(shot)).astype(int)
    assert picture.shape == (5000, 1160, 3)

    def pixels_like(red: int, green: int, blue: int) -> int:
        return int((np.abs(picture - (blue, green, red)).max(axis=2) < 25).sum())

    assert pixels_like(0xD5, 0x5E, 0x00) > 2000  # predicted outlines
    assert pixels_like(0x00, 0x9E, 0x73) > 80  # true ones
    assert pixels_like(0x00, 0x72, 0xB2) > 200  # dots of the charts
    saturated = picture.max(axis=2) - picture.min(axis=2) > 120
    assert saturated.sum() > 30_000  # heat maps and pictures, not their alternative texts
    assert (picture.min(axis=2) < 250)[4000:].any()  # the last section is there


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
