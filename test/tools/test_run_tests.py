# SPDX-License-Identifier: Apache-2.0
"""`make test` runs every test once, goes on after a failure and tells what failed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = ROOT / "tools" / "run_tests.py"
    specification = importlib.util.spec_from_file_location("run_tests", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules["run_tests"] = module
    specification.loader.exec_module(module)
    return module


def files_of(arguments: tuple[str, ...]) -> list[Path]:
    """The test files that a part's paths lead to, without those under a path it ignores."""
    ignored = [Path(a) for flag, a in pairwise(arguments) if flag == "--ignore"]
    given = [Path(a) for a in arguments if a.startswith("test") and Path(a) not in ignored]
    found = [file for path in given for file in (ROOT / path).rglob("test_*.py")]
    return [f for f in found if not any(ROOT / path in f.parents for path in ignored)]


def test_every_file_is_in_one_part(tool: ModuleType) -> None:
    planned = [file for part in tool.parts(2) for file in files_of(part.arguments)]
    assert sorted(planned) == sorted((ROOT / "test").rglob("test_*.py"))


def test_what_runs_alone_is_there(tool: ModuleType) -> None:
    for path in tool.ALONE:
        assert (ROOT / path).is_dir()


def test_after_a_failure_the_other_parts_run_and_the_last_line_names_it(
    tool: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text("def test_good():\n    pass\n")
    bad.write_text("def test_bad():\n    assert False\n")
    empty = tmp_path / "nothing"
    empty.mkdir()
    plain = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    wanted = [
        tool.Part(name, ("-p", "no:cacheprovider", str(path)), plain)
        for name, path in [("the bad", bad), ("the empty", empty), ("the good", good)]
    ]
    assert tool.run_all(wanted) == 1
    said = capfd.readouterr().out.splitlines()
    assert said[-1] == "[test] FAILED: the bad, the empty"
    assert any(line.startswith("[test] the good: passed after ") for line in said)
    assert tool.run_all(wanted[2:]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "[test] all passed"


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ([], "tools/run_tests.py"),
        (["TEST_ARGS=test/geometry -q"], "-m pytest test/geometry -q"),
    ],
)
def test_make_runs_all_parts_or_just_what_is_asked_for(given: list[str], command: str) -> None:
    result = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "test", *given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    last = result.stdout.splitlines()[-1]
    assert last.partition("bin/python ")[2] == command
