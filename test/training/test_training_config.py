# SPDX-License-Identifier: Apache-2.0
"""A wrong configuration is refused before anything runs, in one sentence with its value."""

from pathlib import Path

import pytest

from stn_perception.training.config import ConfigError, load_config
from stn_perception.training.fit import train

SHIPPED = Path(__file__).resolve().parents[2] / "config" / "train"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_configurations_are_valid(path: Path) -> None:
    assert load_config(path).description, "a card without a word on what the model is for"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nepochs: 3\n", ("epochs", "3")),
        ("name: A b\n", ("name", "'A b'")),
        ("name: a\noptimization: {batch_size: 1}\n", ("optimization.batch_size", "1")),
        ("name: a\noptimization: {learning_rate: fast}\n", ("learning_rate", "'fast'")),
        ("name: a\nnetwork: {input_size: 50}\n", ("network.input_size", "50")),
        ("name: a\nscenes: {count: 1500}\n", ("scenes.count", "1500")),
        ("name: a\nscenes: {min_side_px: 130}\n", ("min_side_px", "130")),
        ("name: a\nstrategy: guessing\n", ("strategy", "'guessing'")),
        ("name: a\nstrategy: unsupervised\n", ("'unsupervised'", "supervised or weak", "quads")),
        ("name: a\ntask: bag\nstrategy: weak\n", ("'weak'", "expected unsupervised", "bag")),
        ("name: a\ntask: cars\n", ("task", "'cars'")),
        ("name: a\nweak: {labels: guesses}\n", ("weak.labels", "'guesses'")),
        ("name: a\nweak: {outlier_share: 2}\n", ("weak.outlier_share", "2")),
        ("name: a\nweak: {bias: 1}\n", ("weak.bias", "1")),
        ("name: a\noptimization: {devices: 0}\n", ("devices", "0")),
        ("name: a\noptimization: {num_nodes: 0}\n", ("num_nodes", "0")),
        ("name: a\nscenes: {min_side_px: .nan}\n", ("min_side_px", "nan")),
        ("- 1\n- 2\n", ("list", "mapping")),
        ("name: [\n", ("not valid YAML",)),
        ("", ("mapping",)),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, text: str, said: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as refusal:
        load_config(written(tmp_path, text))
    message = str(refusal.value)
    assert "\n" not in message
    for part in said:
        assert part in message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")


def test_nothing_is_drawn_for_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    config = written(tmp_path, f"name: a\nscenes: {{folder: {tmp_path}/scenes}}\n")
    with pytest.raises(ConfigError, match=r"no checkpoint .*gone\.ckpt"):
        train(config, tmp_path / "gone.ckpt", tmp_path / "run")
    assert not (tmp_path / "scenes").exists()
