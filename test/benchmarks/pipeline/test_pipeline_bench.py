# SPDX-License-Identifier: Apache-2.0
"""`stn bench pipeline` compares the same job and writes what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stn_perception.benchmarks.peers.eager_pipeline import EagerPipeline
from stn_perception.benchmarks.pipeline.cost_line import cost_line
from stn_perception.benchmarks.pipeline.scenes import STAGES, Ours, requests
from stn_perception.cli import main
from stn_perception.geometry.quads import quad_sides_px, view_quad
from stn_perception.runtime.archive import ModelArchive


def test_the_eager_peer_sees_the_same_views() -> None:
    archive = ModelArchive.open("planar", device="cpu")
    cycle = requests("vga", 5, is_calibrated=True)
    result = Ours(archive, cycle, "opencv")()
    boxes = torch.tensor(
        [[r.box.center_x, r.box.center_y, r.box.width, r.box.height] for r in cycle[0].regions]  # type: ignore[union-attr]
    )
    found = EagerPipeline(archive)(cycle[0].frame.pixels, boxes)
    size = (archive.card.view_width, archive.card.view_height)
    quads = view_quad(np.array([one.frame_from_view for one in result.objects]), *size)
    other = view_quad(found.frame_from_view.numpy().astype(float), *size)
    assert len(quads) == len(other) == 5
    for turn, (ours, theirs) in enumerate(zip(quads, other, strict=True)):
        turns = [np.roll(theirs, turn, axis=0) for turn in range(4)]
        off = [np.linalg.norm(corners - ours, axis=1).mean() for corners in turns]
        assert min(off) < 0.1 * quad_sides_px(ours)
        if np.argmin(off) == 0:
            view = result.objects[turn].view
            assert view is not None
            assert np.abs(view.astype(int) - found.views[turn]).mean() < 25
    assert found.views.shape == (5, size[1], size[0], 3)
    assert found.views.dtype == np.uint8


def test_a_line_is_found_through_costs() -> None:
    line = cost_line([1, 4, 16, 64], [3.0 + 0.5 * units for units in (1, 4, 16, 64)])
    assert (line.fixed_ms, line.marginal_ms) == pytest.approx((3.0, 0.5))
    assert line.at(10) == pytest.approx(8.0)
    falling = cost_line([1, 2], [2.0, 1.0])
    assert falling.marginal_ms == 0.0
    assert 1.0 < falling.fixed_ms < 2.0
    assert cost_line([1, 2], [1.0, 3.0]).fixed_ms == 0.0
    with pytest.raises(ValueError, match="costs of 1 sizes, expected at least 2"):
        cost_line([4, 4], [1.0, 2.0])


def test_the_command_writes_what_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pipeline.json"
    arguments = ["--size", "vga", "--objects", "1", "--objects", "16", "--rounds", "1"]
    assert main(["bench", "pipeline", *arguments, "--threads", "1", "--json", str(file)]) == 0
    content = json.loads(file.read_text())
    assert [row["case"] for row in content["rows"]] == ["vga-1", "vga-16"]
    for row in content["rows"]:
        assert row["eager / ours"] > 0
        assert row["eager rest / our rest"] > 0
        assert all(row[f"{stage} ms"] > 0 for stage in STAGES)
        assert row["ours ms"] > row["network ms"] > 0
    assert [target["name"] for target in content["targets"]] == [
        "vga-1: eager / ours",
        "vga-16: rest / network",
        "vga-16: eager / ours",
    ]
    printed = capsys.readouterr().out
    assert "| case | objects | eager / ours | eager rest / our rest | rest / network |" in printed
    assert "vga, ms fixed + ms for each object: all " in printed


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--size", "8k"], "size is '8k', expected one of vga, 720p, 1080p, 1440p, 4k"),
        (["--objects", "0"], "objects is 0, expected 1 to 256"),
        (["--threads", "-1"], "threads is -1, expected 0 or more"),
        (["--rounds", "0"], "rounds is 0, expected at least 1"),
        (["--backend", "metal"], "backend is 'metal', expected one of auto, compiled"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ["--size", "vga", "--objects", "1"]
    assert main(["bench", "pipeline", *(few if arguments[0] != "--size" else []), *arguments]) == 1
    assert sentence in capsys.readouterr().err
