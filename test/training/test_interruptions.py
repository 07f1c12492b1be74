# SPDX-License-Identifier: Apache-2.0
"""Full disks, Ctrl-C, kills: one sentence, and what was saved stays as it was."""

import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from stn_perception.training.checkpoint_io import WholeCheckpointIO
from stn_perception.training.checkpoints import CheckpointError, read_checkpoint

from .tiny import finished, start_training, tiny_settings, write_config

TIMEOUT_S = 600.0


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert process.poll() is None, process.communicate()[1]
        if time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"{path} never came")
        time.sleep(0.01)


class WholeRun(NamedTuple):
    """A run that nothing interrupted, on weak labels: they draw the most random numbers."""

    config: Path
    folder: Path
    said: str
    result: dict[str, Any]


@pytest.fixture(scope="module")
def whole_run(scene_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    folder = tmp_path_factory.mktemp("whole")
    settings = tiny_settings(scene_folder, 3, 4, strategy="weak")
    config = write_config(folder / "tiny.yaml", settings)
    result = folder / "result.json"
    process = start_training(config, folder / "run", "--json", str(result))
    said, error = finished(process)
    assert process.returncode == 0, error
    return WholeRun(config, folder / "run", said, json.loads(result.read_text()))


def test_training_on_weak_labels_ends_with_the_comparison(whole_run: WholeRun) -> None:
    assert "against exact truth on 512 held-out scenes: mean corner error" in whole_run.said
    given = whole_run.result["labels_given"]["mean corner error (px of a 128 px crop)"]
    assert f"labels given {given:.2f}, network " in whole_run.said
    assert whole_run.result["network"].keys() == whole_run.result["labels_given"].keys()


def test_a_full_disk_is_one_sentence_and_earlier_checkpoints_stay(
    whole_run: WholeRun, tmp_path: Path
) -> None:
    """The system refuses to let any file grow beyond a size that a checkpoint exceeds."""
    config, run = whole_run.config, whole_run.folder
    kept = tmp_path / "run" / "checkpoints"
    kept.mkdir(parents=True)
    for name in ("epoch=0000.ckpt", "last.ckpt"):
        (kept / name).write_bytes((run / "checkpoints" / "epoch=0000.ckpt").read_bytes())
    before = contents(kept)
    limit = min(len(content) for content in before.values()) // 2
    process = start_training(
        config,
        tmp_path / "run",
        "--resume",
        str(kept / "last.ckpt"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    _, error = finished(process)
    assert process.returncode == 1
    said = last_line(error)
    assert said.startswith("stn train: cannot write the checkpoint")
    assert "File too large; earlier checkpoints are intact" in said
    assert "Traceback" not in error
    assert contents(kept) == before


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "terminate"]
)
def test_an_interrupted_run_keeps_the_last_checkpoint_and_says_how_to_go_on(
    scene_folder: Path, tmp_path: Path, sent: signal.Signals, status: int
) -> None:
    config = write_config(tmp_path / "long.yaml", tiny_settings(scene_folder, 1000, 4))
    process = start_training(config, tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    wait_for(last, process)
    process.send_signal(sent)
    _, error = finished(process)
    assert process.returncode == status
    assert last_line(error) == (
        "training was interrupted; go on after the last epoch with: "
        f"stn train {config} --output {tmp_path / 'run'} --resume {last}"
    )
    assert "Traceback" not in error
    read_checkpoint(last)


def test_a_killed_and_resumed_run_equals_one_that_never_stopped(
    whole_run: WholeRun, tmp_path: Path
) -> None:
    config, run = whole_run.config, whole_run.folder
    killed = start_training(config, tmp_path / "run")
    first = tmp_path / "run" / "checkpoints" / "epoch=0000.ckpt"
    wait_for(first, killed)
    os.kill(killed.pid, signal.SIGKILL)
    finished(killed)
    resumed = start_training(config, tmp_path / "run", "--resume", str(first))
    _, error = finished(resumed)
    assert resumed.returncode == 0, error
    expected = read_checkpoint(run / "checkpoints" / "last.ckpt").weights
    found = read_checkpoint(tmp_path / "run" / "checkpoints" / "last.ckpt").weights
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"epoch": 1}, target)
    before = contents(tmp_path)
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(CheckpointError, match=r"cannot write the checkpoint .*last\.ckpt"):
        WholeCheckpointIO().save_checkpoint({"epoch": 2}, tmp_path / "file" / "last.ckpt")
    WholeCheckpointIO().save_checkpoint({"epoch": 3}, target)
    assert torch.load(target, weights_only=True) == {"epoch": 3}
    assert set(contents(tmp_path)) == {*before, "file"}
