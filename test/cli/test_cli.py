# SPDX-License-Identifier: Apache-2.0
"""The command line: help with an example, one sentence and a non-zero exit on bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stn_perception.cli import main

COMMANDS = [
    ["run"],
    ["replay"],
    ["demo"],
    ["train"],
    ["export"],
    ["models", "list"],
    ["models", "check"],
    ["models", "score"],
    ["models", "explain"],
    ["evaluate"],
    ["label"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert f"example: stn {' '.join(command)}" in capsys.readouterr().out


def test_help_needs_neither_torch_nor_ros() -> None:
    code = (
        "import sys; from stn_perception.cli import build_parser; build_parser();"
        "print(sorted({'torch', 'rclpy', 'cv2', 'lightning'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models", "check", "nowhere.pt"], "nowhere.pt"),
        (["models", "check", "unheard_of"], "unheard_of"),
        (["models", "check", "planar", "--device", "tpu"], "tpu"),
        (["models", "score", "planar", "--samples", "0"], "0"),
        (["train", "nowhere.yaml", "--output", "runs"], "nowhere.yaml"),
        (["export", "nowhere.ckpt", "out.pt"], "nowhere.ckpt"),
        (["replay", "nowhere_bag"], "nowhere_bag"),
        (["replay", "nowhere_bag", "--rate", "-1"], "-1"),
        (["run", "--log-level", "loud"], "loud"),
        (["evaluate", "nowhere_bag"], "nowhere_bag"),
        (["evaluate", "nowhere_bag", "--workers", "-1"], "-1"),
        (["evaluate", "nowhere_bag", "--truth", "crystal_ball"], "crystal_ball"),
        (["label", "nowhere_bag"], "nowhere_bag"),
        (["label", "nowhere_bag", "--every", "0"], "0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_gets_one_sentence(
    arguments: list[str],
    words: str,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    status = main(arguments)
    error = capfd.readouterr().err.strip()
    assert status != 0
    assert words in error and "Traceback" not in error
    assert len(error.splitlines()) == 1, error
    assert list(tmp_path.iterdir()) == []


def test_models_are_listed_for_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "models.json"
    assert main(["models", "list", "--json", str(target)]) == 0
    cards = json.loads(target.read_text())
    assert cards["planar"]["symmetry"] == 4
    assert "planar" in capsys.readouterr().out


def test_a_result_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    assert main(["models", "list", "--json", str(tmp_path / "file" / "models.json")]) == 1
    assert "file" in capsys.readouterr().err


def test_the_result_for_machines_is_readable_by_all_and_never_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = tmp_path / "results" / "models.json"
    assert main(["models", "list", "--json", str(result)]) == 0
    assert result.stat().st_mode & 0o777 == 0o644
    assert main(["models", "list", "--json", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"stn models list: Is a directory: {tmp_path}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["results"]
