# SPDX-License-Identifier: Apache-2.0
"""Scores onto the card, and the card as a page beside the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from stn_perception.runtime.archive import ModelArchive, save_archive
from stn_perception.runtime.model_card import ModelCard, Score
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.reliability import reliability_svg
from stn_perception.training.scorers import scorer_of

# The reliability diagram, beside the archive.
DIAGRAM = "reliability.svg"

# How a figure of a row is called on the card, its unit and its factor; others go by their key.
_KNOWN = {
    "mean_px": ("mean corner error", "px of a 128 px crop", 1),
    "p95_px": ("95th percentile", "px of a 128 px crop", 1),
    "median_percent_of_side": ("median corner error", "% of the side", 1),
    "within_1_sigma": ("errors within 1 sigma", "%", 100),
}
# Figures that only the table shows.
_TABLE_ONLY = {"median_px"}
_UNITS = {"px": "px", "deg": "°", "percent": "%", "ms": "ms"}


def scores_of(result: dict[str, Any], command: str) -> tuple[Score, ...]:
    """Return the figures with intervals of ``score_model`` that belong onto a card."""
    scores: list[Score] = []
    for row in result["rows"]:
        figures = {
            key: figure["value"]
            for key, figure in row.items()
            if isinstance(figure, dict) and "value" in figure and key not in _TABLE_ONLY
        }
        for key, value in figures.items():
            name, unit, factor = _KNOWN.get(key) or _named(key)
            scores.append(
                Score(
                    name=f"{row['data']}: {row['method']}: {name}",
                    value=round(factor * value, 4),
                    unit=unit,
                    samples=row["samples"],
                    command=command,
                )
            )
    return tuple(scores)


def _named(key: str) -> tuple[str, str, int]:
    """Return name, unit and factor of a figure whose key ends in a unit (``median_deg``)."""
    name, _, last = key.rpartition("_")
    if name and last in _UNITS:
        return name.replace("_", " "), _UNITS[last], 1
    return key.replace("_", " "), "", 1


def write_scores(archive_path: Path, result: dict[str, Any], command: str) -> ModelCard:
    """Write the scores onto a TorchScript archive's card and the page beside it.

    Where the result holds ``reliability`` (a list of what ``training.reliability`` returns, all of
    one unit), the diagram is drawn beside the page too.

    Args:
        archive_path: the archive, rewritten with the same weights.
        result: of ``score_model``.
        command: the command that reproduces it.

    Returns:
        The card as written.
    """
    archive = ModelArchive.open(archive_path, device="cpu")
    network = torch.jit.load(str(archive_path), map_location="cpu")  # type: ignore[no-untyped-call]
    card = archive.card.model_copy(update={"scores": scores_of(result, command)})
    card = save_archive(archive_path, network, card)
    if result.get("reliability"):
        write_whole_file(archive_path.with_name(DIAGRAM), reliability_svg(result["reliability"]))
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
        result.get("note", ""),
        "",
        scorer_of(card).table(result),
        *_speed_lines(result.get("speed")),
        *_refinement_lines(card, result.get("refinement", [])),
        *_reliability_lines(result.get("reliability", [])),
    ]
    return "\n".join([*lines, ""])


def _speed_lines(speed: Mapping[str, Any] | None) -> list[str]:
    """Say what ``measure_speed`` found."""
    if not speed:
        return []
    network, whole = speed["network"], speed["canonicalizer"]
    passes = f"{speed['passes']} pass{'es' if speed['passes'] > 1 else ''}"
    return [
        "",
        "## Cost",
        "",
        f"On one core, {speed['batch']} objects of a VGA frame, milliseconds per object: the "
        f"network {network['median']:.2f} ({passes}; fastest call {network['fastest']:.2f}), from "
        f"boxes to transforms {whole['median']:.2f} (fastest call {whole['fastest']:.2f}).",
    ]


def _refinement_lines(card: ModelCard, refinement: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say how many steps pay: the results of ``steps_that_pay``, one per data set."""
    if not refinement:
        return []
    sentences = [f"- {found['sentence']}" for found in refinement]
    return ["", "## Refinement", "", f"The model takes {card.refinement_steps}.", "", *sentences]


def _reliability_lines(diagrams: Sequence[Mapping[str, Any]]) -> list[str]:
    """Show the diagram beside the archive and the shares: the results of ``reliability``."""
    if not diagrams:
        return []
    within = diagrams[0]["within"]
    names = " | ".join(f"within {row['sigmas']:g} σ" for row in within)
    normal = " | ".join(f"{100 * row['expected']:.1f} %" for row in within)
    lines = [
        "",
        "## Predicted deviations",
        "",
        f"![Predicted standard deviations against the errors that happened]({DIAGRAM})",
        "",
        "Left: in bins of equal count, the predicted standard deviation and the error that 68 % "
        "stay within. Right and below: shares of the errors within k predicted deviations; 95 % "
        "bootstrap intervals. The last column is the mean over the bins of |measured - predicted| "
        "/ predicted.",
        "",
        f"| data | {names} | bins are off by |",
        "|---" * (len(within) + 2) + "|",
        f"| normal law | {normal} | 0 % |",
    ]
    for diagram in diagrams:
        shares = " | ".join(_percent(w["share"]) for w in diagram["within"])
        gap = 100 * diagram["calibration_error"]
        lines.append(f"| {diagram['data']} | {shares} | {gap:.0f} % |")
    return lines


def _percent(share: Mapping[str, float]) -> str:
    value, low, high = (100 * share[key] for key in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f}–{high:.1f})"
