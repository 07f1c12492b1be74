# SPDX-License-Identifier: Apache-2.0
"""`stn study`: every study explains itself, and what it refuses is one sentence."""

import subprocess
import sys

import pytest

from stn_perception.cli import main
from stn_perception.studies.commands import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_study_explains_itself_with_an_example(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["study", name, "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"example: stn study {name}" in shown and "--json FILE" in shown and "--train" in shown


def test_help_imports_neither_torch_nor_scipy() -> None:
    code = (
        "import sys; from stn_perception.cli import build_parser; build_parser();"
        "print(sorted({'torch', 'scipy', 'cv2'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_a_number_that_makes_no_sense_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "registration", "--pairs", "0"]) == 1
    assert capsys.readouterr().err == (
        "stn study registration: seeds and pairs are 3 and 0, expected at least 1.\n"
    )


def test_training_what_has_no_weights_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "overhead", "--train"]) == 1
    assert "this study trains nothing" in capsys.readouterr().err


def test_a_study_without_a_picture_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "interpret", "--picture", "some.jpg"]) == 1
    assert capsys.readouterr().err == (
        "stn study interpret: --picture is given, but the study interpret has no picture.\n"
    )
