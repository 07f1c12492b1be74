# SPDX-License-Identifier: Apache-2.0
"""Figures of the CUDA benchmark, with outputs checked before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from stn_perception.benchmarks.cuda.cases import DeviceCase, device_cases
from stn_perception.benchmarks.cuda.contenders import OURS, OURS_PLAIN, Sampling, contenders
from stn_perception.benchmarks.cuda.device_time import copy_bytes_per_s, interleaved_on_device
from stn_perception.benchmarks.cuda.whole_pipeline import KorniaPipeline, ours, scene, staging
from stn_perception.benchmarks.report import BenchReport, Cell
from stn_perception.benchmarks.timing import interleaved, ratio
from stn_perception.runtime.archive import ModelArchive
from stn_perception.runtime.backends import get_backend
from stn_perception.runtime.frame import Frame
from stn_perception.runtime.report_parts import Target
from stn_perception.runtime.settings import PipelineSettings

COPY_SHARE = 0.75
PIPELINE_MS = 1.0
TIMES_OF_KORNIA = 10.0
# Ours: one level, and what half precision loses of 255. Peers: they round coordinates more.
_OUR_LEVELS = 1.13
_PEERS_LEVELS = 3.0
_CHECKED_VIEWS = 4
CAMERAS, OBJECTS, FRAME_SIZE, BOX_PX = 4, 8, (1920, 1080), 200.0


def measure(rounds: int, views: int, model: str) -> BenchReport:
    """Sampling and the whole pipeline on the current CUDA device.

    Args:
        rounds: Figures for each contender.
        views: Of the large batches.
        model: Archive or shipped model of the whole pipeline.

    Raises:
        ValueError: A contender gives other views than the reference.
    """
    device = torch.device("cuda", torch.cuda.current_device())
    copying = copy_bytes_per_s(rounds)
    rows: list[Mapping[str, Cell]] = []
    targets: list[Target] = []
    for case in device_cases(views):
        row, share = _sampling_row(case, device, copying, rounds)
        rows.append(row)
        if case.is_large:
            name = f"{case.name}: share of the copy's bytes per second"
            targets.append(Target(name, share, COPY_SHARE, at_least=True))
    pipeline = _pipeline_figures(model, device, rounds)
    targets += [
        Target(
            "whole pipeline, 4 cameras 1080p, 8 objects each, pinned to pinned: ms",
            pipeline["ours ms"],
            PIPELINE_MS,
            at_least=False,
        ),
        Target(
            "whole pipeline: eager kornia / ours",
            pipeline["kornia / ours"],
            TIMES_OF_KORNIA,
            at_least=True,
        ),
    ]
    return BenchReport(
        name="cuda",
        command="stn bench cuda",
        rows=rows,
        targets=targets,
        notes=[
            f"Copying within the device's memory moves {copying / 1e12:.3g} TB/s, bytes read and "
            "written. A case's bytes are the frame's bytes under the views and the bytes written.",
            "Whole pipeline: " + ", ".join(f"{k} {v:.3g}" for k, v in pipeline.items()) + ". "
            "Crop, network, compose, refine and warp; tracks, poses and messages are not in it.",
            "Ratios: a peer's time over ours without averaging, median of the rounds. Everyone "
            "begins with uint8 frames on the device.",
        ],
        settings={
            "rounds": rounds,
            "views": views,
            "model": model,
            "device": torch.cuda.get_device_name(device),
            "cuda": torch.version.cuda,
            "copy_bytes_per_s": copying,
            "pipeline": pipeline,
        },
    )


def differences(case: DeviceCase, result: torch.Tensor, antialias: bool) -> NDArray[np.float64]:
    """Levels between the first views of a result and the reference's, inside their edges.

    Args:
        case: What was sampled.
        result: N×3×H×W in [0, 1] or uint8 N×H×W×3.
        antialias: Whether it was averaged.
    """
    reference, found = get_backend("reference"), result[:_CHECKED_VIEWS].cpu()
    if case.output != "uint8":
        found = found.double().permute(0, 2, 3, 1) * 255
    expected = [
        reference.warp_view(
            Frame(case.frames[frame], "rgb"), matrix, case.size, case.size, antialias=antialias
        )
        for frame, matrix in zip(
            case.frame_of_view[:_CHECKED_VIEWS],
            case.frame_from_view[:_CHECKED_VIEWS],
            strict=True,
        )
    ]
    # Beyond a frame's edge every library fades in its own way.
    apart = np.abs(found.double().numpy() - np.stack(expected))[:, 2:-2, 2:-2]
    return np.asarray(apart, dtype=np.float64)


def check_outputs(case: DeviceCase, everyone: Mapping[str, Sampling]) -> dict[str, float]:
    """Largest difference of each contender in levels.

    Raises:
        ValueError: One is further off than rounding explains.
    """
    off = {}
    for name, call in everyone.items():
        apart = differences(case, call(), antialias=name == OURS)
        off[name] = float(apart.max())
        is_ours = name in (OURS, OURS_PLAIN)
        figure, limit = (off[name], _OUR_LEVELS) if is_ours else (apart.mean(), _PEERS_LEVELS)
        if figure > limit:
            raise ValueError(
                f"{name} is off by {figure:.2f} levels on {case.name!r}, "
                f"expected at most {limit:.2f}"
            )
    return off


def _sampling_row(
    case: DeviceCase, device: torch.device, copying: float, rounds: int
) -> tuple[Mapping[str, Cell], float]:
    with torch.inference_mode():
        everyone = contenders(case, device)
        off = check_outputs(case, everyone)
        times = interleaved_on_device(everyone, rounds)
    moved = case.bytes_moved
    share = moved / (times[OURS].median_ms / 1e3) / copying
    row: dict[str, Cell] = {"case": case.name, "share of copy": share}
    for name in ("torch", "torch.compile", "kornia", "CV-CUDA"):
        found = name in times
        row[f"{name} / ours"] = ratio(times[name], times[OURS_PLAIN]).median if found else None
    row["averaged / plain"] = ratio(times[OURS], times[OURS_PLAIN]).median
    row["ours ms"] = times[OURS].median_ms
    row["MB moved"] = moved / 1e6
    row["levels off"] = off[OURS]
    return row, share


def _pipeline_figures(model: str, device: torch.device, rounds: int) -> dict[str, float]:
    archive = ModelArchive.open(model, device=str(device))
    settings = PipelineSettings(box_sigma=0.0)
    what, other = (scene(CAMERAS, OBJECTS, FRAME_SIZE, BOX_PX, seed) for seed in (0, 1))
    pipeline = ours(archive, settings, what)
    ways = {
        "ours": lambda: pipeline.run_staged(what.boxed, upload_again=True),
        "without copies in": lambda: pipeline.run_staged(what.boxed),
        "kornia": KorniaPipeline(archive, settings, what).run,
        "host staging": staging(device, [what, other]),
    }
    times = interleaved(ways, rounds)
    return {
        "kornia / ours": ratio(times["kornia"], times["ours"]).median,
        **{f"{name} ms": timing.median_ms for name, timing in times.items()},
    }
