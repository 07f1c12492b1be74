# SPDX-License-Identifier: Apache-2.0
"""The committed weights, scored again on a subset by seed, stay within their card's limits."""

from pathlib import Path

import numpy as np
import pytest

from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.shipped_models import resolve_model
from stn_perception.training.scorers import scorer_of
from stn_perception.training.tabletop.classical import on_true_mask, smallest_box
from stn_perception.training.tabletop.grasps import run_grasps
from stn_perception.training.tabletop.held_out import ScoredSets, scored_sets
from stn_perception.training.tabletop.measuring import measure_archive, measure_method
from stn_perception.training.tabletop.rows import angle_defined
from stn_perception.training.tabletop.scoring import score_tabletop

SEED = 7
COUNT = 200


@pytest.fixture(scope="module")
def archive() -> ModelArchive:
    return ModelArchive.open("tabletop", device="cpu")


@pytest.fixture(scope="module")
def rendered() -> ScoredSets:
    return scored_sets(SEED, COUNT)


def test_the_archive_is_small_and_says_what_it_is(archive: ModelArchive) -> None:
    assert Path(resolve_model("tabletop")).stat().st_size < 4e6
    card = archive.card
    assert (card.family, card.symmetry, card.name) == ("affine", 2, "tabletop")
    assert card.training.command.startswith("stn train config/train/tabletop.yaml")
    assert "n mod 5 is 4" in card.training.held_out
    assert any("simulated grasps" in score.name for score in card.scores)
    assert all("stn models score tabletop" in score.command for score in card.scores)


@pytest.mark.slow
def test_unseen_objects_are_boxed_as_the_card_says(
    archive: ModelArchive, rendered: ScoredSets
) -> None:
    errors = measure_archive(archive, rendered.clear, archive.card.refinement_steps)
    angles = errors.angle_deg[angle_defined(rendered.clear)]
    assert errors.refused == 0
    # Measured: 2.79° and 2.09 px; these first scenes are harder than the 2,000 objects' mean.
    assert np.median(angles) < 3.2
    assert np.median(errors.centre_px) < 2.4
    by_rectangle = measure_method(rendered.clear, lambda s: on_true_mask(s, smallest_box))
    # The rectangle of the true mask answers another question, and jumps.
    assert np.median(angles) < np.median(by_rectangle.angle_deg[angle_defined(rendered.clear)])


@pytest.mark.slow
def test_predicted_deviations_hold_on_unseen_objects(
    archive: ModelArchive, rendered: ScoredSets
) -> None:
    both = rendered.clear[:140] + rendered.hidden[:70]
    errors = measure_archive(archive, both, archive.card.refinement_steps)
    inside = (errors.errors < errors.sigmas).mean()
    # 68 ± 5 % over the card's thousands; a subset of 210 scatters by 2 % more.
    assert 0.61 < inside < 0.76


@pytest.mark.slow
def test_grasps_by_the_model_hold(archive: ModelArchive) -> None:
    result = run_grasps(archive, 12, SEED)
    assert result.drawn >= 12
    assert result.lifted["model"].sum() >= 10
    assert result.lifted["true box"].sum() >= 11


@pytest.mark.slow
def test_a_score_has_every_row_and_a_table(archive: ModelArchive) -> None:
    result = score_tabletop(archive, 12, SEED)
    names = {row["data"] for row in result["rows"]}
    assert names >= {"unseen objects", "unseen objects, partly hidden", "simulated grasps"}
    for row in result["rows"]:
        for figure in row.values():
            if isinstance(figure, dict):
                assert figure["low"] <= figure["value"] <= figure["high"]
    table = scorer_of(archive.card).table(result)
    assert table.count("minAreaRect") == 2
    assert "axis-aligned box" in table
    with pytest.raises(ValueError, match="at least 2"):
        score_tabletop(archive, 1, SEED)
