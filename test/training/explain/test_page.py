# SPDX-License-Identifier: Apache-2.0
"""The page: one file that stands alone, says what it was made of, and shows it in a browser."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from stn_perception.runtime.archive import resolve_model

from .pages import SAMPLE, Structure, explain

BROWSER = next(
    (b for n in ("chromium", "chromium-browser", "google-chrome") if (b := shutil.which(n))), None
)


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
            "--disable-dev-shm-usage",  # containers have little of it
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
    # True ones, most of which lie under the predicted ones of a model that is seldom off.
    assert pixels_like(0x00, 0x9E, 0x73) > 40
    assert pixels_like(0x00, 0x72, 0xB2) > 200  # dots of the charts
    saturated = picture.max(axis=2) - picture.min(axis=2) > 120
    assert saturated.sum() > 30_000  # heat maps and pictures, not their alternative texts
    assert (picture.min(axis=2) < 250)[4000:].any()  # the last section is there
