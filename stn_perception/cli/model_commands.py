# SPDX-License-Identifier: Apache-2.0
"""`stn models …`: the archives and their cards."""

from __future__ import annotations

import argparse
from pathlib import Path

from stn_perception.cli.subcommands import Subcommands, add_json
from stn_perception.runtime.json_file import write_json


def list_models(parsed: argparse.Namespace) -> int:
    """Show the shipped archives and their cards."""
    from stn_perception.runtime.archive import ModelArchive, shipped_models

    cards = {name: ModelArchive.open(path).card for name, path in shipped_models().items()}
    for name, card in cards.items():
        print(
            f"{name} {card.version}  {card.family}, symmetry {card.symmetry}: {card.description}"
        )
        for score in card.scores:
            print(f"    {score.name}: {score.value:g} {score.unit} (n = {score.samples})")
    write_json(parsed.json, {name: card.model_dump(mode="json") for name, card in cards.items()})
    return 0


def check_model(parsed: argparse.Namespace) -> int:
    """Open one archive as the node would, and say what it holds."""
    from stn_perception.runtime.archive import ModelArchive

    archive = ModelArchive.open(parsed.file, device=parsed.device)
    print(f"{archive.path}: {archive.format} on {archive.device}, opens and passes its probe")
    print(archive.card.model_dump_json(indent=2))
    write_json(parsed.json, archive.card.model_dump(mode="json"))
    return 0


def score_model(parsed: argparse.Namespace) -> int:
    """Score an archive on held-out samples, the way its kind is scored."""
    from stn_perception.runtime.archive import ModelArchive
    from stn_perception.training.scorers import score_model as score
    from stn_perception.training.scorers import scorer_of

    archive = ModelArchive.open(parsed.name, device="cpu")
    scores = score(archive, parsed.samples, parsed.seed, parsed.data)
    print(scorer_of(archive.card).table(scores))
    write_json(parsed.json, scores)
    if parsed.write_card:
        from stn_perception.training.card_page import write_scores

        command = f"stn models score {parsed.name} --samples {parsed.samples} --seed {parsed.seed}"
        command += " --data FOLDER" if parsed.data else ""
        write_scores(archive.path, scores, command)
    return 0


def explain_archive(parsed: argparse.Namespace) -> int:
    """Make a page on what a model predicts against truth, what moves it and where it fails."""
    from stn_perception.training.explain.command import explain_from_command_line

    numbers = explain_from_command_line(parsed)
    print(f"page: {parsed.output}")
    write_json(parsed.json, numbers)
    return 0


def add_model_commands(commands: Subcommands) -> None:
    """Commands about archives."""
    from stn_perception.training.explain.options import add_explain_arguments

    models = commands.add("models", None, "stn models list")
    models.description = "Shipped archives: list, check, score, explain."
    kinds = Subcommands(models, "models ")
    listing = kinds.add("list", list_models, "stn models list --json models.json")
    check = kinds.add("check", check_model, "stn models check my_network.pt")
    check.add_argument("file", help="archive, or the name of a shipped one")
    check.add_argument("--device", default="auto", help="auto, cpu, cuda:N")
    score = kinds.add("score", score_model, "stn models score planar --json scores.json")
    score.add_argument("name", help="archive, or the name of a shipped one")
    score.add_argument("--samples", type=int, default=2000, help="held-out samples (2000)")
    score.add_argument("--seed", type=int, default=7, help="seed of the held-out samples (7)")
    score.add_argument(
        "--data", "--photographs", type=Path, help="folder of labelled real pictures"
    )
    score.add_argument("--write-card", action="store_true", help="put the scores onto the card")
    about = kinds.add(
        "explain", explain_archive, "stn models explain planar --bag my_bag --output planar.html"
    )
    add_explain_arguments(about)
    add_json(listing, check, score, about)
