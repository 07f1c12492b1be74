# SPDX-License-Identifier: Apache-2.0
"""Score an unsupervised canonicalizer against known poses, up to the one constant it may choose.

    python -m stn_perception.training.own_bag.scoring ARCHIVE BAG TRUTH [--only ID]

Without labels no training can know which view somebody else calls canonical: all that can be asked
is that it is the *same* one in every frame. So one constant transform from the truth's own view to
the archive's is estimated on every other frame, and errors are stated on the rest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stn_perception.bags import BagError, BagReader
from stn_perception.bags.typestore import header_stamp_ns
from stn_perception.geometry import view_quad
from stn_perception.messages.regions import Region, regions_from_detections
from stn_perception.runtime.archive import ArchiveError, ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.canonicalizer import Canonicalizer
from stn_perception.runtime.frame import frame_from_message
from stn_perception.runtime.requests import FrameRequest
from stn_perception.runtime.settings import PipelineSettings
from stn_perception.runtime.whole_file import write_whole_file
from stn_perception.training.interval_text import interval_text
from stn_perception.training.own_bag.agreement import Quad, agreement
from stn_perception.training.own_bag.errors import OwnBagError
from stn_perception.training.own_bag.topics import detections_topic, image_topic
from stn_perception.training.scoring import bootstrap

_STEPS = (0, 1, 2)


def read_truth(path: Path) -> dict[int, dict[str, Quad]]:
    """Read true corners by stamp and object id from a ``truth.json``.

    Raises:
        OwnBagError: it is missing or of another form.
    """
    try:
        frames = json.loads(path.read_text(encoding="utf-8"))["frames"]
        return {
            int(frame["stamp_ns"]): {
                name: np.array(quad, dtype=np.float64).reshape(4, 2)
                for name, quad in frame["objects"].items()
            }
            for frame in frames
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OwnBagError(f"cannot read the truth {path}: {error}") from error


@dataclass
class _Seen:
    """What came of a bag's boxes with one number of refinement steps."""

    views: list[Quad] = field(default_factory=list)
    truths: list[Quad] = field(default_factory=list)
    dropped: int = 0


def _run(
    archive: ModelArchive, bag: Path, truth: Mapping[int, Mapping[str, Quad]], only: str
) -> dict[int, _Seen]:
    """Run an archive over a bag's boxes as the runtime does, for each number of steps."""
    backend = get_backend("opencv")
    canonicalizers = {
        steps: Canonicalizer(
            archive, PipelineSettings(refinement_steps=steps, max_boxes=4096), backend
        )
        for steps in _STEPS
    }
    seen = {steps: _Seen() for steps in _STEPS}
    for request in _requests(bag, truth, only):
        known = truth[request.frame.stamp_ns]
        for steps, canonicalizer in canonicalizers.items():
            prediction = canonicalizer.predict([request])[0]
            seen[steps].dropped += len(prediction.dropped)
            size = (prediction.view_width, prediction.view_height)
            for estimate in prediction.estimates:
                seen[steps].views.append(view_quad(estimate.frame_from_view, *size))
                seen[steps].truths.append(known[estimate.region.id])
    return seen


def _requests(
    bag: Path, truth: Mapping[int, Mapping[str, Quad]], only: str
) -> Iterator[FrameRequest]:
    with BagReader(bag) as reader:
        name = f"the bag {bag}"
        images = image_topic(reader.topics, "", name)
        boxes = detections_topic(reader.topics, "", name)
        if not boxes:
            raise OwnBagError(f"{name} has no detections to score")
        regions = {
            header_stamp_ns(message.data): regions_from_detections(reader.deserialize(message))
            for message in reader.messages([boxes])
        }
        for message in reader.messages([images]):
            stamp_ns = header_stamp_ns(message.data)
            known = truth.get(stamp_ns, {})
            wanted = tuple(
                region
                for region in regions.get(stamp_ns, ())
                if isinstance(region, Region)
                and region.id in known
                and (not only or only in (region.id, region.class_id))
            )
            if wanted:
                frame = frame_from_message(reader.deserialize(message))
                yield FrameRequest(camera="camera", frame=frame, regions=wanted)


def score_own_bag(
    archive_path: str | Path,
    bag: Path,
    truth_path: Path,
    only: str = "",
    every: int = 1,
    seed: int = 7,
) -> dict[str, Any]:
    """Score an archive for each number of refinement steps up to two.

    Args:
        archive_path: the archive.
        bag: recording with images and boxes.
        truth_path: its ``truth.json``.
        only: objects with this id or class alone.
        every: of the views, only every so many (those that training kept out of the same bag).
        seed: of the bootstrap.

    Returns:
        ``model``, ``weights_sha256`` and ``rows``: median corner error and angle with 95 %
        bootstrap intervals, and the share of views turned by more than 30°.

    Raises:
        OwnBagError: truth or boxes are missing, or too few.
        ArchiveError, BagError: the files cannot be read.
    """
    archive = ModelArchive.open(archive_path, device="cpu")
    truth = read_truth(truth_path)
    rows = []
    for steps, seen in _run(archive, bag, truth, only).items():
        views, truths = (np.array(q).reshape(-1, 4, 2) for q in (seen.views, seen.truths))
        found = agreement(views[every - 1 :: every], truths[every - 1 :: every])
        rows.append(
            {
                "data": bag.name,
                "method": f"{archive.card.name}, {steps} refinement steps",
                "refinement_steps": steps,
                "samples": len(found.angle_deg),
                "dropped": seen.dropped,
                "corner_median_percent": bootstrap(
                    found.corner_percent, np.median, seed
                ).as_dict(),
                "angle_median_deg": bootstrap(found.angle_deg, np.median, seed).as_dict(),
                "angle_p95_deg": round(float(np.percentile(found.angle_deg, 95)), 3),
                "share_turned_wrong": round(float((found.angle_deg > 30).mean()), 4),
            }
        )
    card = archive.card
    return {"model": card.name, "weights_sha256": card.weights_sha256, "rows": rows}


def table(result: Mapping[str, Any]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| method | views | corner median % of side | angle median ° | angle p95 ° | > 30° |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        lines.append(
            f"| {row['method']} | {row['samples']} "
            f"| {interval_text(row['corner_median_percent'], 2)} "
            f"| {interval_text(row['angle_median_deg'], 2)} "
            f"| {row['angle_p95_deg']:.1f} | {100 * row['share_turned_wrong']:.1f} % |"
        )
    return "\n".join(lines)


def main() -> None:
    """Score an archive and print the table."""
    parser = argparse.ArgumentParser(description="Score a canonicalizer up to one constant.")
    parser.add_argument("archive", type=Path)
    parser.add_argument("bag", type=Path)
    parser.add_argument("truth", type=Path, help="truth.json")
    parser.add_argument("--only", default="", help="objects with this id or class alone")
    parser.add_argument("--every", type=int, default=1, help="every so many views alone (1)")
    parser.add_argument("--json", type=Path)
    parsed = parser.parse_args()
    # One small crop at a time: threads would wait for each other longer than they work.
    torch.set_num_threads(1)
    try:
        result = score_own_bag(parsed.archive, parsed.bag, parsed.truth, parsed.only, parsed.every)
    except (OwnBagError, BagError, ArchiveError) as error:
        raise SystemExit(str(error)) from error
    print(table(result))
    if parsed.json is not None:
        write_whole_file(parsed.json, json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
