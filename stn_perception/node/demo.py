# SPDX-License-Identifier: Apache-2.0
"""The whole graph on a recording, then a page to look at.

The result appears in its folder only when it is complete; an older one stays until then. Ctrl-C at
any moment stops the three processes and leaves no half-made result.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stn_perception.node.stop_signal import StopSignal
from stn_perception.runtime.whole_file import write_whole_file

if TYPE_CHECKING:
    from stn_perception.bags.recorded_frames import RecordedFrame

RECORDING = "recording"
_SAMPLE = "samples/duckiebot/metadata.yaml"
_EXIT_INTERRUPTED = 130


def demo(
    output: Path,
    model: str = "planar",
    bag: Path | None = None,
    json_path: Path | None = None,
    rate: float = 1.0,
    duration_s: float | None = None,
) -> int:
    """Play a bag through the node, record what comes out, and show it.

    Args:
        output: Folder for the recording, the page and the picture; an earlier demo's is replaced.
        model: Shipped model's name or path of an archive.
        bag: The bag to play; the sample when left out.
        json_path: Write the numbers there.
        rate: Playing speed.
        duration_s: Play only so many seconds of the bag.

    Returns:
        0, or 1 after a failure that was explained, or 130 after Ctrl-C.
    """
    with StopSignal() as stop:
        from stn_perception.bags import BagError
        from stn_perception.node.demo_run import DemoError, Interrupted
        from stn_perception.node.share import share_file

        try:
            limits = (rate,) if duration_s is None else (rate, duration_s)
            if not all(0 < limit < math.inf for limit in limits):
                given = f"rate {rate} and duration {duration_s}"
                raise DemoError(f"{given} must be finite and above 0.")
            source = share_file(_SAMPLE).parent if bag is None else Path(bag)
            _demo(Path(output), model, source, json_path, rate, duration_s, stop)
        except Interrupted:
            print("stopped, nothing was written", file=sys.stderr)
            return _EXIT_INTERRUPTED
        except (DemoError, BagError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    return 0


def _demo(
    output: Path,
    model: str,
    bag: Path,
    json_path: Path | None,
    rate: float,
    duration_s: float | None,
    stop: StopSignal,
) -> None:
    from stn_perception.bags.page import write_page
    from stn_perception.bags.recorded_frames import read_frames
    from stn_perception.bags.replacing import ReplacedFolder
    from stn_perception.node.demo_plan import camera_in_bag, truth_beside
    from stn_perception.node.demo_run import GraphRun, Interrupted, say

    began_s = time.monotonic()
    camera = camera_in_bag(bag)
    _check_output(output)
    with ReplacedFolder(output) as folder, tempfile.TemporaryDirectory() as scratch:
        recording = folder.work / RECORDING
        run = GraphRun(bag, camera, model, rate, duration_s, recording, Path(scratch), stop)
        summary = run.play()
        say("drawing the page")
        frames = read_frames(recording, camera.image_topic, camera.outputs, truth_beside(bag))
        write_page(folder.work, frames, summary)
        numbers = json.dumps(summary.as_json(), indent=1) + "\n"
        (folder.work / "numbers.json").write_text(numbers, encoding="utf-8")
        if stop.is_set():
            raise Interrupted
    if json_path is not None:
        write_whole_file(Path(json_path), numbers)
    for name, value in (*summary.rows(), *_error_rows(frames)):
        print(f"  {name:28} {value}")
    if not summary.balanced:
        print("warning: not every frame that was sent has an outcome", file=sys.stderr)
    print(f"look at {output / 'index.html'} ({time.monotonic() - began_s:.0f} s)")


def _check_output(output: Path) -> None:
    """Refuse to replace a folder that no demo made."""
    from stn_perception.node.demo_run import DemoError

    if not output.exists():
        return
    ours = (output / "index.html").is_file() and (output / RECORDING).is_dir()
    if not ours and (not output.is_dir() or any(output.iterdir())):
        raise DemoError(f"{output} exists and no demo made it, choose another --output.")


def _error_rows(frames: list[RecordedFrame]) -> list[tuple[str, str]]:
    from stn_perception.bags.page import errors_percent

    rows = []
    for part in ("still", "motion"):
        if errors := sorted(errors_percent(frames, part)):
            median = f"{errors[len(errors) // 2]:.2f} % of the side (median)"
            rows.append((f"corner error, {part}", median))
    return rows
