# SPDX-License-Identifier: Apache-2.0
import json

import numpy as np
import pytest

from stn_perception.benchmarks.warp.cases import warp_cases
from stn_perception.benchmarks.warp.contenders import OURS_AVERAGED, TORCH_FLOATS, contenders
from stn_perception.cli import main


@pytest.mark.parametrize("case", warp_cases(), ids=lambda case: case.name)
def test_all_contenders_take_the_same_views(case):
    everyone = contenders(case, "compiled")
    everyone.pop(TORCH_FLOATS), everyone.pop(OURS_AVERAGED)
    views = {name: np.asarray(call()).astype(int) for name, call in everyone.items()}
    shape = (len(case.frame_from_view), case.view_size, case.view_size, 3)
    for name, found in views.items():
        assert found.shape == shape
        difference = np.abs(found - views["ours"])[:, 2:-2, 2:-2]
        assert difference.mean() < 0.6, name


def test_the_command_writes_what_it_prints(tmp_path, capsys):
    file = tmp_path / "warp.json"
    arguments = ["bench", "warp", "--case", "crops-256", "--rounds", "1", "--threads", "1"]
    assert main([*arguments, "--json", str(file)]) == 0
    content = json.loads(file.read_text())
    row = content["rows"][0]
    assert row["case"] == "crops-256"
    assert row["ours ms"] > 0 and row["torch / ours"] > 0
    assert [target["limit"] for target in content["targets"]] == [1.5, 1.15]
    assert "| case | OpenCV loop / ours |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--case", "8k"], "case is '8k', expected one of 1080p-8, 4k-1, crops-64, crops-256"),
        (["--rounds", "0"], "rounds is 0, expected at least 1"),
        (["--threads", "-1"], "threads is -1, expected 0 or more"),
        (["--backend", "metal"], "backend is 'metal', expected one of auto, compiled"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_sentence(arguments, sentence, capsys):
    case = [] if "--case" in arguments else ["--case", "crops-256"]
    assert main(["bench", "warp", *case, *arguments]) == 1
    assert sentence in capsys.readouterr().err
