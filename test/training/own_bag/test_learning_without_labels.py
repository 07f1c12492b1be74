# SPDX-License-Identifier: Apache-2.0
"""A minute on a recording without labels gives a canonicalizer; resuming changes nothing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard
from stn_perception.training.checkpoints import read_checkpoint
from stn_perception.training.config import ConfigError, TrainingConfig
from stn_perception.training.fit import fit
from stn_perception.training.own_bag.agreement import agreement
from stn_perception.training.own_bag.command import DEFAULTS, config_for_bag, train_on_bag
from stn_perception.training.own_bag.errors import OwnBagError
from stn_perception.training.own_bag.scoring import score_own_bag
from stn_perception.training.own_bag.task import BagTask

ROOT = Path(__file__).parents[3]


def untrained_archive(config: TrainingConfig, path: Path) -> Path:
    torch.manual_seed(1)
    task = BagTask(config)
    card = ModelCard.model_validate({"name": "untrained", **task.card_fields()})
    save_archive(path, torch.jit.script(task.network().eval()), card)
    return path


def median_angle(archive: Path, bag: Path, steps: int) -> tuple[float, float]:
    rows = score_own_bag(archive, bag, bag / "truth.json")["rows"]
    row = next(row for row in rows if row["refinement_steps"] == steps)
    return row["angle_median_deg"]["value"], row["corner_median_percent"]["value"]


@pytest.mark.slow
def test_a_minute_without_labels_learns_the_pose_of_other_frames(
    made_bag: Path, other_bag: Path, tmp_path: Path, config_of: Callable[..., TrainingConfig]
) -> None:
    # Gentle changes, to get far in so short a run.
    gentle = {"scale": 1.05, "shift": 0.05, "cover": 0.0, "noise": 0.01, "surroundings": 0.0}
    config = config_of(made_bag, 3, 160, bag={"warps": gentle})
    _, archive = train_on_bag(config, tmp_path / "run")
    angle, corner = median_angle(archive, other_bag, 1)
    untrained = untrained_archive(config, tmp_path / "untrained.pt")
    untrained_angle, untrained_corner = median_angle(untrained, other_bag, 0)
    assert untrained_angle > 45 and untrained_corner > 40
    # Minutes instead of one give 2° (see docs/own_object.md).
    assert angle < untrained_angle / 3 and corner < 0.7 * untrained_corner
    card = ModelArchive.open(archive, device="cpu").card
    assert card.symmetry == 1 and card.family == "similarity"
    assert "without labels" in card.training.data


@pytest.mark.slow
def test_classes_are_told_apart_through_the_transformer(
    two_objects_bag: Path, tmp_path: Path, config_of: Callable[..., TrainingConfig]
) -> None:
    losses = {"equivariance": 0, "template": 0, "search": 0, "framing": 0, "classes": 1.0}
    config = config_of(
        two_objects_bag,
        2,
        60,
        bag={"class_names": ["plate_0", "plate_1"]},
        unsupervised=losses,
    )
    _, archive = train_on_bag(config, tmp_path)
    task = BagTask(config)
    task.prepare(lambda done, total: None)
    batch = task.held_out()
    opened = ModelArchive.open(archive, device="cpu")
    output = opened.predict(batch.crops.numpy())
    assert output.class_logits is not None
    right = (output.class_logits.argmax(axis=1) == batch.class_index.numpy()).mean()
    assert right > 0.9
    assert opened.card.class_names == ("plate_0", "plate_1")
    untrained = ModelArchive.open(untrained_archive(config, tmp_path / "u.pt"), device="cpu")
    before = untrained.predict(batch.crops.numpy())
    assert before.class_logits is not None
    assert (before.class_logits.argmax(axis=1) == batch.class_index.numpy()).mean() < 0.75
    # No other loss was there to move the transform.
    assert np.abs(output.theta - before.theta).max() > 0.01


def test_resuming_equals_never_stopping(
    made_bag: Path, tmp_path: Path, config_of: Callable[..., TrainingConfig]
) -> None:
    config = config_of(made_bag, 2, 4)
    whole = fit(config, tmp_path / "whole")
    first = tmp_path / "whole" / "checkpoints" / "epoch=0000.ckpt"
    resumed = fit(config, tmp_path / "resumed", first)
    expected, found = read_checkpoint(whole).weights, read_checkpoint(resumed).weights
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_nothing_is_written_for_a_recording_that_is_refused(
    tmp_path: Path, config_of: Callable[..., TrainingConfig]
) -> None:
    with pytest.raises(OwnBagError, match="there is no bag"):
        train_on_bag(config_of(tmp_path / "no.mcap", 1, 1), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_documented_configuration_is_the_default() -> None:
    documented = ROOT / "config" / "train" / "object_unsupervised.yaml"
    assert config_for_bag(Path("my.mcap"), "mug", documented) == config_for_bag(
        Path("my.mcap"), "mug"
    )
    assert DEFAULTS["task"] == "bag"


def test_wrong_values_are_named() -> None:
    with pytest.raises(ConfigError, match="name is 'My Mug'"):
        config_for_bag(Path("my.mcap"), "My Mug")
    with pytest.raises(ConfigError, match="task quads, expected bag"):
        config_for_bag(Path("a.mcap"), "a", ROOT / "config" / "train" / "planar.yaml")


@pytest.mark.parametrize(
    ("bag", "losses", "expected"),
    [
        ({}, {"classes": 1.0}, r"class_names is \[\], expected at least two"),
        ({"class_names": ["a", "b"]}, {}, "unsupervised.classes is 0"),
        ({}, {"template_fixed": True}, "template_image is missing"),
    ],
)
def test_losses_need_what_they_learn_from(
    bag: dict, losses: dict, expected: str, config_of: Callable[..., TrainingConfig]
) -> None:
    with pytest.raises(ConfigError, match=expected):
        BagTask(config_of(Path("a.mcap"), 1, 1, bag=bag, unsupervised=losses))


def test_the_score_is_blind_to_one_constant_transform_and_to_nothing_else() -> None:
    rng = np.random.default_rng(3)
    square = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])

    def quad(angle: float, scale: float, shift: np.ndarray) -> np.ndarray:
        c, s = np.cos(angle) * scale, np.sin(angle) * scale
        return square @ np.array([(c, s), (-s, c)]) + shift

    poses = [(a, rng.uniform(20, 40), rng.uniform(100, 200, 2)) for a in rng.uniform(0, 6.3, 40)]
    truths = np.stack([quad(*pose) for pose in poses])
    same = np.stack([quad(a + 1.0, 1.3 * s, t) for a, s, t in poses])
    found = agreement(same, truths)
    assert found.angle_deg.max() < 1e-3 and found.corner_percent.max() < 1e-3
    wrong = np.stack([quad(a + 1.0 + 0.1 * (i % 2), s, t) for i, (a, s, t) in enumerate(poses)])
    assert np.median(agreement(wrong, truths).angle_deg) == pytest.approx(
        np.degrees(0.1), abs=0.01
    )
    still = np.stack([quad(0.0, s, t) for _, s, t in poses])
    assert np.median(agreement(still, truths).angle_deg) > 30
