# SPDX-License-Identifier: Apache-2.0
"""The command line `stn`: one subcommand a job, each a thin call into a room.

Rooms are imported when their command runs: `stn --help` needs neither torch nor ROS.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stn_perception.runtime.whole_file import write_whole_file

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; its exit status is returned."""
    try:
        return run_command(build_parser().parse_args(arguments))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`stn models list | head`); nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def run_command(parsed: argparse.Namespace) -> int:
    """Run the parsed job; what the rooms refuse becomes a sentence and exit status 1."""
    try:
        status: int = parsed.job(parsed)
    except BrokenPipeError:
        raise
    except (ValueError, OSError, ImportError) as error:
        # The rooms explain bad input in one sentence; STN_TRACEBACK shows where it was found.
        if os.environ.get("STN_TRACEBACK"):
            raise
        print(f"stn {parsed.command}: {explain(error)}", file=sys.stderr)
        return 1
    return status


def explain(error: Exception) -> str:
    """One sentence for an expected error."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (
            f"The Python package '{error.name.split('.')[0]}' is not installed. "
            "Install stn_perception with the extra that brings it: "
            "[fast], [ros], [bags], [train], [tabletop] or [bench]."
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def write_json(path: Path | None, content: dict[str, Any]) -> None:
    """Write a result for machines, completely or not at all."""
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole_file(path, json.dumps(content, indent=2) + "\n")


def demo(parsed: argparse.Namespace) -> int:
    """Play the sample through the real graph and draw the page."""
    from stn_perception.node.demo import demo as run_demo

    return run_demo(
        output=parsed.output,
        model=parsed.model,
        bag=parsed.bag,
        json_path=parsed.json,
        rate=parsed.rate,
        duration_s=parsed.duration,
    )


def run_node(parsed: argparse.Namespace) -> int:
    """Start the canonicalizer node with the launch files' arguments."""
    from stn_perception.node.launch_arguments import CANONICALIZER_ARGUMENTS
    from stn_perception.node.run import run

    return run({item.name: getattr(parsed, item.name) for item in CANONICALIZER_ARGUMENTS})


def replay(parsed: argparse.Namespace) -> int:
    """Publish a bag into ROS."""
    from stn_perception.node.player import run

    return run(parsed)


def train(parsed: argparse.Namespace) -> int:
    """Fit a network as a configuration says, or to the object of a recording (--bag)."""
    if parsed.bag is not None:
        return train_on_bag(parsed)
    from stn_perception.training.fit import compared
    from stn_perception.training.fit import train as fit

    if parsed.config is None or parsed.output is None:
        raise ValueError("expected a configuration and --output, or --bag with a recording")
    checkpoint = fit(parsed.config, resume=parsed.resume, output=parsed.output)
    print(f"checkpoint: {checkpoint}")
    result: dict[str, Any] = {"checkpoint": str(checkpoint)}
    errors = compared(checkpoint)
    if errors is not None:
        print(errors.sentence())
        result |= {"labels_given": errors.labels, "network": errors.network}
    write_json(parsed.json, result)
    return 0


def train_on_bag(parsed: argparse.Namespace) -> int:
    """Fit a network to the object of a recording and write its archive."""
    from stn_perception.training.own_bag.command import train_from_command_line

    checkpoint, archive = train_from_command_line(parsed)
    print(f"checkpoint: {checkpoint}\narchive: {archive}")
    write_json(parsed.json, {"checkpoint": str(checkpoint), "archive": str(archive)})
    return 0


def export(parsed: argparse.Namespace) -> int:
    """Write an archive from a checkpoint."""
    from stn_perception.training.export import export_archive

    export_archive(parsed.checkpoint, parsed.output, parsed.format)
    return 0


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


class Subcommands:
    """Adds subcommands whose help ends with an example."""

    def __init__(self, parser: argparse.ArgumentParser, depth: str = "") -> None:
        self._depth = depth
        self._parsers = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        self, name: str, job: Callable[[argparse.Namespace], int] | None, example: str
    ) -> argparse.ArgumentParser:
        """Add one; its help is the job's docstring and the example."""
        summary = (job.__doc__ or "").strip() if job else ""
        parser: argparse.ArgumentParser = self._parsers.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example: {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if job is not None:
            parser.set_defaults(job=job, command=f"{self._depth}{name}")
        return parser


def add_json(*parsers: argparse.ArgumentParser) -> None:
    """Give commands that have a result the option to write it for machines."""
    for parser in parsers:
        parser.add_argument("--json", type=Path, metavar="FILE", help="result for machines")


def build_parser() -> argparse.ArgumentParser:
    """Declare every subcommand."""
    from stn_perception.training.explain.options import add_explain_arguments

    parser = argparse.ArgumentParser(prog="stn", description="Canonical views for robots.")
    commands = Subcommands(parser)
    add_ros_commands(commands)
    add_training_commands(commands)
    add_benchmarks(commands)

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
    return parser


def add_ros_commands(commands: Subcommands) -> None:
    """Commands that need a middleware."""
    from stn_perception.node.launch_arguments import CANONICALIZER_ARGUMENTS
    from stn_perception.node.player_options import add_arguments

    start = commands.add("run", run_node, "stn run --model planar --cameras front,rear")
    for item in CANONICALIZER_ARGUMENTS:
        start.add_argument(
            f"--{item.name.replace('_', '-')}", default=item.default, help=item.description
        )
    play = commands.add("replay", replay, "stn replay samples/duckiebot --rate 0.5")
    add_arguments(play)
    show = commands.add("demo", demo, "stn demo --output demo-out --json demo.json")
    show.add_argument("--output", type=Path, default=Path("demo-out"), help="folder for the page")
    show.add_argument("--model", default="planar", help="archive or shipped name")
    show.add_argument("--bag", type=Path, help="another bag than the sample")
    show.add_argument("--rate", type=float, default=1.0, help="playback speed (1)")
    show.add_argument("--duration", type=float, help="only so many seconds of the bag")
    add_json(show)


def add_training_commands(commands: Subcommands) -> None:
    """Commands that need the [train] extra."""
    from stn_perception.training.own_bag.options import add_own_bag_arguments

    fit = commands.add("train", train, "stn train config/train/planar.yaml --output runs/planar")
    fit.add_argument("config", type=Path, nargs="?", help="training configuration (YAML)")
    fit.add_argument("--output", type=Path, help="folder for checkpoints and logs (runs/NAME)")
    fit.add_argument("--resume", type=Path, help="checkpoint to go on from")
    add_own_bag_arguments(fit)
    write = commands.add("export", export, "stn export runs/planar/checkpoints/last.ckpt my.pt")
    write.add_argument("checkpoint", type=Path)
    write.add_argument("output", type=Path, help="archive to write (.pt or .pt2)")
    write.add_argument("--format", choices=["torchscript", "export"], help="else by suffix")
    add_json(fit)


def add_benchmarks(commands: Subcommands) -> None:
    """Commands that measure, with the peers in the same run."""
    from stn_perception.benchmarks.commands import NAMES, bench_command

    bench = commands.add("bench", None, "stn bench warp")
    bench.description = "What it costs, with the peers in the same run."
    kinds = Subcommands(bench, "bench ")
    for name in NAMES:
        command = bench_command(name)
        parser = kinds.add(name, command.run, command.EXAMPLE)
        parser.description = command.SUMMARY
        command.add_arguments(parser)
        add_json(parser)


if __name__ == "__main__":
    sys.exit(main())
