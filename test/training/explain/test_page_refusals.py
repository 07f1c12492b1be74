# SPDX-License-Identifier: Apache-2.0
"""What no page can be made of is refused in one sentence, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .pages import SAMPLE, explain


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
