# SPDX-License-Identifier: Apache-2.0
"""Scores onto the card, and the card as a page beside the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard, Score
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.score_table import score_table


def scores_of(result: dict[str, Any], command: str) -> tuple[Score, ...]:
    """Return the figures of ``score_archive`` that belong onto a card."""
    scores: list[Score] = []
    for row in result["rows"]:
        where = f"{row['data']}: {row['method']}"
        figures = [
            ("mean corner error", row["mean_px"]["value"], "px of a 128 px crop"),
            ("95th percentile", row["p95_px"]["value"], "px of a 128 px crop"),
            ("median corner error", row["median_percent_of_side"]["value"], "% of the side"),
        ]
        if "within_1_sigma" in row:
            share = 100 * row["within_1_sigma"]["value"]
            figures.append(("errors within 1 sigma", round(share, 2), "%"))
        scores += [
            Score(
                name=f"{where}: {name}",
                value=value,
                unit=unit,
                samples=row["samples"],
                command=command,
            )
            for name, value, unit in figures
        ]
    return tuple(scores)


def write_scores(archive_path: Path, result: dict[str, Any], command: str) -> ModelCard:
    """Write the scores onto a TorchScript archive's card and the page beside it.

    Args:
        archive_path: the archive, rewritten with the same weights.
        result: of ``score_archive``.
        command: the command that reproduces it.

    Returns:
        The card as written.
    """
    archive = ModelArchive.open(archive_path, device="cpu")
    network = torch.jit.load(str(archive_path), map_location="cpu")  # type: ignore[no-untyped-call]
    card = archive.card.model_copy(update={"scores": scores_of(result, command)})
    card = save_archive(archive_path, network, card)
    write_whole_file(archive_path.with_suffix(".md"), page(card, result))
    return card


def page(card: ModelCard, result: dict[str, Any]) -> str:
    """Return a card with its scores as Markdown."""
    turns = {1: "one", 2: "two", 4: "four"}[card.symmetry]
    lines = [
        f"# {card.name} {card.version}",
        "",
        card.description.strip(),
        "",
        f"- Transform: {card.family}; {turns} canonical pose{'s' if card.symmetry > 1 else ''} "
        f"by quarter turns (symmetry {card.symmetry})",
        f"- Input: {card.input_width}×{card.input_height}, {card.channels} channel(s), "
        f"crop `{card.crop_shape}`, box × {card.box_margin}",
        f"- Box as evidence: standard deviation of its sides {card.box_sigma} of its size",
        f"- Refinement: {card.refinement_steps} steps, view × {card.refinement_margin}",
        f"- Views: {card.view_width}×{card.view_height}",
        f"- Licence: {card.license}",
        f"- Weights SHA-256: `{card.weights_sha256}`",
        "",
        "## Training",
        "",
        f"- Command: `{card.training.command}` (seed {card.training.seed})",
        f"- Data: {card.training.data}",
        f"- Never seen in training: {card.training.held_out}",
        "",
        "## Scores",
        "",
        f"`{card.scores[0].command if card.scores else ''}`",
        "",
        "Corner errors, the smallest over the turns that cannot be told apart, in pixels of a "
        "128 px crop of the given box with its margin, and in percent of the object's mean side; "
        "95 % bootstrap intervals in brackets. The last column is the share of corner coordinates "
        "within one predicted standard deviation. Rows other than the generated scenes are "
        "labelled photographs; training never sees them, but what kinds of scenes are drawn was "
        "adjusted after looking at them.",
        "",
        score_table(result),
    ]
    return "\n".join([*lines, ""])
