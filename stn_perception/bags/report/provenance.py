# SPDX-License-Identifier: Apache-2.0
"""Where the figures come from: command, models, recordings, versions."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from stn_perception.bags.evaluation.records import Evaluation
from stn_perception.bags.metrics.as_json import dataset_sha256
from stn_perception.bags.report.plots import text
from stn_perception.bags.report.tables import table

_PACKAGES = ("stn_perception", "torch", "numpy", "opencv-python-headless", "plotly")


def provenance_section(evaluation: Evaluation) -> str:
    """Return the command that makes the page again, and what went into it."""
    models = [
        (label, f"{facts.name} {facts.version}", facts.path, facts.sha256)
        for label, facts in evaluation.models.items()
    ]
    bags = [
        (bag.name, f"{(bag.end_ns - bag.start_ns) / 1e9:.1f} s", str(bag.frames), bag.sha256)
        for bag in evaluation.bags
    ]
    versions = ", ".join(f"{name} {number}" for name, number in _versions())
    return (
        "<h2>How this was made</h2>"
        f"<p><code>{text(evaluation.command)}</code></p>"
        f"{table(['model', 'name', 'file', 'SHA-256'], models, words=4)}"
        f"{table(['recording', 'length', 'frames', 'SHA-256'], bags, words=4)}"
        f"<p>The data set's hash is <code>{dataset_sha256(evaluation)}</code>, the SHA-256 of its "
        f"recordings' hashes, sorted, one to a line. Versions: {text(versions)}.</p>"
    )


def _versions() -> list[tuple[str, str]]:
    found = [("Python", platform.python_version())]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue  # an OpenCV of another name, a source tree that is not installed
    return found
